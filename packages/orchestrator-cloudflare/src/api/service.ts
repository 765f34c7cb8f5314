/**
 * Routes about the deployment: its workflows, its health, and its OpenAPI document.
 */
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { NO_RUN } from "../run-object/names.ts";
import { OPENAPI_TEXT } from "./openapi-text.ts";
import { type Route, route } from "./route.ts";
import { askObject } from "./run-objects.ts";

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
    id: "openapi",
    verb: "GET",
    path: "/openapi.json",
    summary: "Returns the OpenAPI document of this API.",
    answers: { 200: "Document" },
    handle: () => new Response(OPENAPI_TEXT, { headers: { "Content-Type": "application/json" } }),
  }),
];
