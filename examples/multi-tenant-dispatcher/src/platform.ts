/** The platform's Worker: the API and the runs of all tenants. Each run executes in the Worker of its tenant. */
import {
  type DispatchNamespaceLike,
  type FetcherLike,
  createDispatchNamespaceDispatcher,
} from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

interface Env {
  /** The dispatch namespace. A local runtime has none: it uses one service binding per tenant instead. */
  readonly TENANTS?: DispatchNamespaceLike;
  readonly [binding: `TENANT_${string}`]: FetcherLike;
}

const app = holdfast({
  dispatcher: (env: Env) =>
    createDispatchNamespaceDispatcher({
      namespace: env.TENANTS ?? { get: (name) => env[`TENANT_${name}`] },
      // Set by the server, or by a caller with the scope admin (SEC5).
      script: ({ tenantMeta }) => tenantOf(tenantMeta),
      limits: { cpuMs: 50, subRequests: 50 },
    }),
});

function tenantOf(tenantMeta: unknown): string | undefined {
  const { tenant } = Object(tenantMeta) as { readonly tenant?: unknown };
  return typeof tenant === "string" && /^[\w-]+$/.test(tenant) ? tenant : undefined;
}

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
