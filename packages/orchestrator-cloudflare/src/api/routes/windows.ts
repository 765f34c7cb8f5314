/**
 * Routes of the windows of debounce and batch: what they collect, and what operators change (WIN6).
 *
 * Owns: the two forms of the path: with a key, and without one if the debounce or batch has none.
 */
import { type WindowCommand, type WindowState, storedKey, windowAddress } from "@holdfast/orchestrator";
import { type WindowRecord, defined } from "@holdfast/protocol";
import * as v from "valibot";
import { commandCoordinator } from "../call/coordinators.ts";
import { ACT_HEADERS, requestKeyOf } from "../call/idempotency-key.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";

const PATHS = [
  { path: "/api/windows/:workflowId", of: "Window", what: "the window of a workflow without a key" },
  { path: "/api/windows/:workflowId/:key", of: "WindowKey", what: "the window of a workflow for one key" },
] as const;

const COMMON = {
  answers: { 200: "WindowRecord" },
  refusals: ["limits_not_configured", "newer_format", "not_found"],
} as const;

const noFields = v.strictObject({});

type Place = CheckedCall<"/api/windows/:workflowId", unknown, unknown> & { readonly ids: { readonly key?: string } };

export const windowRoutes: readonly Route[] = PATHS.flatMap(({ path, of, what }) => [
  route({
    ...COMMON,
    id: `read${of}`,
    verb: "GET",
    path,
    summary: `Reads ${what}: the run that its triggers become, and when it starts.`,
    scope: "read",
    handle: (call) => command(call, { type: "read" }),
  }),
  route({
    ...COMMON,
    id: `fire${of}`,
    verb: "POST",
    path: `${path}/fire`,
    summary: `Closes ${what}, and starts its run now.`,
    scope: "operate",
    headers: ACT_HEADERS,
    body: noFields,
    handle: (call) => command(call, { type: "fire" }),
  }),
  route({
    ...COMMON,
    id: `cancel${of}`,
    verb: "POST",
    path: `${path}/cancel`,
    summary: `Closes ${what}, and forgets its triggers. Their run never exists.`,
    scope: "operate",
    headers: ACT_HEADERS,
    body: noFields,
    handle: (call) => command(call, { type: "cancel" }),
  }),
]);

async function command(call: Place, input: WindowCommand): Promise<Response> {
  const { workflowId, key: given } = call.ids;
  const key = given === undefined ? undefined : storedKey(given);
  const answer = await commandCoordinator(call, windowAddress(workflowId, key), input, requestKeyOf(call));
  if (!answer.ok) return answer;
  const state = (await answer.json()) as WindowState;
  const { subject: by, tenantId } = call.principal;
  // No run has an audit of it.
  if (input.type !== "read")
    console.log(
      JSON.stringify({ message: `window ${state.state}`, workflowId, key, runId: state.runId, tenantId, by }),
    );
  return Response.json(defined({ workflowId, key, ...state }) satisfies WindowRecord);
}
