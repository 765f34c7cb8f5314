/**
 * `GET /metrics`: the metrics of a tenant, or of the deployment, for Prometheus (OBS3). `GET /api/counts`: the numbers of a
 * tenant's runs, for pages (IDX6).
 *
 * Owns: whose numbers a caller sees. The gauges come from the index. The counters are shown only where one process is the
 * deployment: elsewhere each isolate has its own, and a collector adds them up.
 */
import { HOLDFAST_VERSION, RUN_STATUSES } from "@holdfast/protocol";
import type { Principal } from "../../auth/principal.ts";
import { type IndexCounts, OLDEST_OF } from "../../index-object/run-counts.ts";
import { ApiRefusal } from "../../refusal.ts";
import { countedSamples } from "../../telemetry/counters.ts";
import { COUNTERS, GAUGES, type GaugeName, type Sample, exposition } from "../../telemetry/metrics.ts";
import { type Call, type Route, route } from "../call/route.ts";
import { type WorkerDeps, requireIndex } from "../call/worker-deps.ts";

export const metricRoutes: readonly Route[] = [
  route({
    id: "readMetrics",
    verb: "GET",
    path: "/metrics",
    summary: "Returns metrics for Prometheus: of the caller's tenant, or with `admin` and without a tenant of all.",
    scope: "read",
    orScope: "admin",
    indexed: true,
    answers: { 200: "text/plain" },
    handle: readMetrics,
  }),
  route({
    id: "countRuns",
    verb: "GET",
    path: "/api/counts",
    summary: "Counts the runs by workflow and status.",
    scope: "read",
    indexed: true,
    answers: { 200: "Counts" },
    handle: async ({ deps, principal }) => {
      const { runs, unread } = await countsOf(deps, principal);
      return Response.json({ workflows: runs.map(([workflowId, of]) => ({ workflowId, runs: of })), unread });
    },
  }),
];

async function countsOf(
  deps: WorkerDeps,
  of: { readonly tenantId?: string | undefined } | "all",
): Promise<IndexCounts> {
  const index = requireIndex(deps);
  if (index.counts === undefined)
    throw new ApiRefusal("index_not_configured", "The index of this deployment has no method counts.");
  return index.counts(of === "all" ? of : { tenantId: of.tenantId });
}

async function readMetrics({ deps, principal }: Call): Promise<Response> {
  const of = numbersOf(principal);
  const gauges = exposition(GAUGES, gaugesOf(await countsOf(deps, of), Date.now()));
  const counters = deps.singleProcess === true ? exposition(COUNTERS, countedSamples(of)) : "";
  return new Response(gauges + counters, { headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" } });
}

/** A token of a tenant has all scopes by default. So `admin` shows all numbers only without a tenant (SEC2). */
function numbersOf({ scopes, tenantId }: Principal): Pick<Principal, "tenantId"> | "all" {
  return tenantId === undefined && scopes.includes("admin") ? "all" : { tenantId };
}

function gaugesOf({ runs, oldest, lagMs, unread }: IndexCounts, now: number): Record<GaugeName, readonly Sample[]> {
  return {
    holdfast_build_info: [[[HOLDFAST_VERSION], 1]],
    // All statuses: a number that becomes 0 is shown, and does not vanish.
    holdfast_runs: runs.flatMap(([workflowId, numbers]) =>
      RUN_STATUSES.map((status): Sample => [[workflowId, status], numbers[status] ?? 0]),
    ),
    holdfast_oldest_run_age_seconds: OLDEST_OF.map((status): Sample => [
      [status],
      seconds(now - (oldest[status] ?? now)),
    ]),
    holdfast_index_lag_seconds: [[[], seconds(lagMs)]],
    holdfast_index_shards_unread: [[[], unread]],
  };
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1_000;
}
