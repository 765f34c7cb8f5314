/**
 * A custom dispatcher: it sends each run to the Worker of its tenant, in a dispatch namespace of Workers for Platforms.
 *
 * Owns: the choice of the Worker, its limits, and the error of a run whose tenant has no Worker.
 */
import {
  type FetcherLike,
  type StepDispatcher,
  createServiceBindingDispatcher,
  decodeValue,
  errorValue,
} from "@holdfast/orchestrator-cloudflare";

/** The part of a dispatch namespace that this dispatcher uses. */
export interface DispatchNamespaceLike {
  get(
    name: string,
    args: Record<string, never>,
    options: { readonly limits: { readonly cpuMs: number; readonly subRequests: number } },
  ): FetcherLike | undefined;
}

const LIMITS = { cpuMs: 50, subRequests: 50 };

type Start = Parameters<StepDispatcher["start"]>[0];

export function createTenantDispatcher(tenants: DispatchNamespaceLike): StepDispatcher {
  return {
    start(start, port) {
      const tenant = tenantOf(start);
      const binding = tenant === undefined ? undefined : tenants.get(tenant, {}, { limits: LIMITS });
      if (binding === undefined) {
        // This code pauses the run with this message. An operator can retry it when the tenant has a Worker.
        const error = errorValue("DISPATCH_REFUSED", `There is no Worker for the tenant ${JSON.stringify(tenant)}.`);
        queueMicrotask(() => port.lost(error));
        return { update: () => {}, abort: () => {} };
      }
      return createServiceBindingDispatcher({ binding, pipe: "fetch" }).start(start, port);
    },
    // Each tenant serves its own workflows, so there is no common list.
    workflows: () => [],
  };
}

function tenantOf({ run }: Start): string | undefined {
  const meta = run.tenantMeta === undefined ? undefined : decodeValue(run.tenantMeta);
  const { tenant } = (meta ?? {}) as { readonly tenant?: unknown };
  return typeof tenant === "string" && /^[\w-]+$/.test(tenant) ? tenant : undefined;
}
