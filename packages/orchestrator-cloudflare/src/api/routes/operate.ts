/**
 * Routes for operators of one run: cancel, terminate, pause, unpause, retry (CAN1, CAN4, CAN5, CAN8).
 */
import type { Input } from "@holdfast/orchestrator";
import * as v from "valibot";
import { reasonField } from "../call/fields.ts";
import { ACT_HEADERS, readIdempotencyKey } from "../call/idempotency-key.ts";
import { type Call, type Route, route } from "../call/route.ts";
import { askRun } from "../call/run-objects.ts";

const cancelBody = v.strictObject({ reason: v.optional(reasonField) });

const terminateBody = v.strictObject({ reason: v.pipe(reasonField, v.minLength(1, "must not be empty")) });

/** No body, or an empty object. */
const noBody = v.strictObject({});

const BODIES = { pause: v.strictObject({ reason: v.optional(reasonField) }), unpause: noBody, retry: noBody } as const;

const SUMMARIES = {
  pause: "Pauses the run until it is unpaused. Deliveries are buffered, and timers keep their times.",
  unpause: "Continues a run that an operator paused.",
  retry: "Continues a run that the engine paused.",
} as const;

export const operateRoutes: readonly Route[] = [
  route({
    id: "cancelRun",
    verb: "POST",
    path: "/api/runs/:id/cancel",
    summary: "Cancels the run and executes the compensations of its steps.",
    scope: "operate",
    headers: ACT_HEADERS,
    body: cancelBody,
    answers: { 202: "Operated" },
    refusals: ["run_terminal"],
    handle: (call) => act(call, { type: "cancel", ...call.body }),
  }),
  route({
    id: "terminateRun",
    verb: "POST",
    path: "/api/runs/:id/terminate",
    summary: "Ends the run at once, without its code. Compensates nothing and lists what is not undone.",
    scope: "operate",
    headers: ACT_HEADERS,
    body: terminateBody,
    answers: { 202: "Operated" },
    refusals: ["run_terminal"],
    handle: (call) => act(call, { type: "terminate", ...call.body }),
  }),
  ...(["pause", "unpause", "retry"] as const).map((operation) =>
    route({
      id: `${operation}Run`,
      verb: "POST",
      path: `/api/runs/:id/${operation}`,
      summary: SUMMARIES[operation],
      scope: "operate",
      headers: ACT_HEADERS,
      body: BODIES[operation],
      answers: { 202: "Operated" },
      refusals: ["not_applicable", "run_terminal"],
      handle: (call) => act(call, { type: operation, ...call.body }),
    }),
  ),
];

type Act = Extract<Input, { readonly type: "cancel" | "terminate" | "pause" | "unpause" | "retry" }>;

function act(call: Call & { readonly ids: { readonly id: string } }, input: Act): Promise<Response> {
  const requestKey = readIdempotencyKey(call.request);
  return askRun(call, call.ids.id, { ask: "input", input: { ...input, requestKey, by: call.principal.subject } });
}
