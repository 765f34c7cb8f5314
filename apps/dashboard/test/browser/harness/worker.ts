/** The Worker of the browser tests: the API, the dashboard, and workflows that make a run of every kind. */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { handleDashboard } from "@holdfast/orchestrator-cloudflare/dashboard";
import * as workflows from "./workflows.ts";

const app = holdfast({ workflows: Object.values(workflows) });

export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;

export default {
  fetch: (request: Request, env: object, ctx?: { waitUntil(work: Promise<unknown>): void }): Promise<Response> =>
    handleDashboard(request) ?? app.worker.fetch(request, env, ctx),
};
