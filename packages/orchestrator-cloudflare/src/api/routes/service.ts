/**
 * Routes about the deployment: its workflows, its health, and its OpenAPI document.
 */
import { type DeploymentInfo, HOLDFAST_VERSION } from "@holdfast/protocol";
import { NO_RUN } from "../../run-object/names.ts";
import { OPENAPI_TEXT } from "../openapi-text.ts";
import { type Call, type Route, route } from "../call/route.ts";
import { environmentOf } from "../call/worker-deps.ts";
import { askObject } from "../call/run-objects.ts";

export const workflowRoutes: readonly Route[] = [
  route({
    id: "listWorkflows",
    verb: "GET",
    path: "/api/workflows",
    summary: "Lists the workflows that the deployment serves.",
    scope: "read",
    answers: { 200: "Workflows" },
    refusals: ["dispatcher_unreachable"],
    handle: ({ deps }) => askObject(deps, deps.runDO.idFromName(NO_RUN), { ask: "workflows" }),
  }),
];

/** The newest flags of the compatibility date with which Holdfast is tested, and those that it needs. */
const COMPATIBILITY = ["nodejs_compat", "rpc", "delete_all_deletes_alarm"];

export const deploymentRoutes: readonly Route[] = [
  route({
    id: "health",
    verb: "GET",
    path: "/healthz",
    summary: "Checks that the Worker runs.",
    answers: { 200: "Health", 503: "Misconfigured" },
    handle: ({ deps }) =>
      Response.json({ ok: true, version: HOLDFAST_VERSION, ...(deps.hold === true ? { held: true } : {}) }),
  }),
  route({
    id: "deployment",
    verb: "GET",
    path: "/api/deployment",
    summary: "Describes the set-up of the deployment.",
    scope: "admin",
    answers: { 200: "Deployment" },
    handle: describeDeployment,
  }),
  route({
    id: "openapi",
    verb: "GET",
    path: "/openapi.json",
    summary: "Returns the OpenAPI document of this API.",
    answers: { 200: "Document" },
    handle: () => new Response(OPENAPI_TEXT, { headers: { "Content-Type": "application/json" } }),
  }),
];

async function describeDeployment({ deps }: Call): Promise<Response> {
  const { publicUrl = null, verifyRequest, hold = false, runIndex } = deps;
  // The object reads its storage before it answers; it fails with 500 if it has none.
  const { status } = await askObject(deps, deps.runDO.idFromName(NO_RUN), { ask: "workflows" });
  const { Cloudflare } = globalThis as { readonly Cloudflare?: { readonly compatibilityFlags?: Flags } };
  const flags = Cloudflare?.compatibilityFlags;
  const known = COMPATIBILITY.flatMap((name) => (flags?.[name] === undefined ? [] : [[name, flags[name]] as const]));
  return Response.json({
    version: HOLDFAST_VERSION,
    now: Date.now(),
    environment: environmentOf(deps),
    publicUrl,
    open: verifyRequest === "open",
    held: hold,
    index: runIndex !== undefined,
    storage: status === 500 ? "unusable" : "sqlite",
    compatibility: Object.fromEntries(known),
  } satisfies DeploymentInfo);
}

type Flags = Readonly<Record<string, boolean>>;
