/**
 * The Worker of the executable: that of apps/orchestrator-worker, with the log of a process.
 *
 * Owns: the order of the imports. The log is replaced before the code of the Worker is loaded. The dashboard is served from
 * the bundle: plain workerd has no static assets.
 */
import { logStart } from "./start-log.ts";
import { handleDashboard } from "@holdfast/orchestrator-cloudflare/dashboard";
import worker from "@holdfast/orchestrator-worker";

export * from "@holdfast/orchestrator-worker";

export default {
  fetch: (request: Request, env: object, ctx?: { waitUntil(work: Promise<unknown>): void }): Promise<Response> =>
    handleDashboard(request) ?? worker.fetch(request, env, ctx),
};

logStart();
