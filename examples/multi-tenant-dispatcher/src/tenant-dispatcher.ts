/**
 * A dispatcher of your own: each run goes to the Worker of its tenant, in a dispatch namespace of Workers for Platforms.
 *
 * Owns: which Worker that is, what it may use, and what becomes of a run whose tenant has none.
 */
import {
  type FetcherLike,
  type StepDispatcher,
  createServiceBindingDispatcher,
  decodeValue,
  errorValue,
} from "@holdfast/orchestrator-cloudflare";

/** A dispatch namespace, as far as it is used here. */
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
        // Refused, not failed: the run is paused with this message, and can be retried when the tenant has a Worker.
        const error = errorValue("DISPATCH_REFUSED", `There is no Worker for the tenant ${JSON.stringify(tenant)}.`);
        queueMicrotask(() => port.lost(error));
        return { update: () => {}, abort: () => {} };
      }
      return createServiceBindingDispatcher({ binding, pipe: "fetch" }).start(start, port);
    },
    // Each tenant serves workflows of its own; nothing can be told without one.
    workflows: () => [],
  };
}

function tenantOf({ run }: Start): string | undefined {
  const meta = run.tenantMeta === undefined ? undefined : decodeValue(run.tenantMeta);
  const { tenant } = (meta ?? {}) as { readonly tenant?: unknown };
  return typeof tenant === "string" && /^[\w-]+$/.test(tenant) ? tenant : undefined;
}
