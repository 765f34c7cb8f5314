/** The platform's Worker: the API and the runs of all tenants. */
import type { FetcherLike } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { type DispatchNamespaceLike, createTenantDispatcher } from "./tenant-dispatcher.ts";

interface Env {
  /** The dispatch namespace. A local runtime has none: it uses one service binding per tenant instead. */
  readonly TENANTS?: DispatchNamespaceLike;
  readonly [binding: `TENANT_${string}`]: FetcherLike;
}

const app = holdfast({
  dispatcher: (env: Env) => createTenantDispatcher(env.TENANTS ?? { get: (name) => env[`TENANT_${name}`] }),
});

export default app.worker;
export const { WorkflowRunDO, RunIndexDO } = app;
