/**
 * What a deployment gives to the handler of its Worker.
 *
 * Owns: the shape, its defaults, and the refusal of what needs an index where there is none.
 */
import { DEFAULT_LIMITS, type Limits } from "@holdfast/protocol";
import type { VerifyRequest } from "../auth/principal.ts";
import type { RunIndex } from "../index-object/run-index.ts";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";

export interface WorkerDeps {
  /** The binding of the run's Durable Object class. */
  readonly runDO: DurableObjectNamespaceLike;
  /** Who may call. Without it everybody may, which is said once in the log. */
  readonly verifyRequest?: VerifyRequest | undefined;
  /** What lists runs. Without it listing answers `501 index_not_configured`, and everything else works. */
  readonly runIndex?: RunIndex | undefined;
  /** The environment that runs get unless the trigger names one. Default `"production"`. */
  readonly environment?: string | undefined;
  /** Where this API is reached from outside, for token URLs. Default: where the trigger's caller reached it. */
  readonly publicUrl?: string | undefined;
  /** The largest request body. Default `limits.requestBytes`. */
  readonly requestBytesMax?: number | undefined;
  /** The limits of this deployment (`limitsFrom`). Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
}

/** The limits of this deployment. */
export function limitsOf({ limits = DEFAULT_LIMITS }: WorkerDeps): Limits {
  return limits;
}

/** The largest request body that this deployment takes. */
export function requestBytesMax(deps: WorkerDeps): number {
  return deps.requestBytesMax ?? limitsOf(deps).requestBytes;
}

/**
 * The index of runs.
 * @throws ApiRefusal `index_not_configured`
 */
export function requireIndex({ runIndex }: WorkerDeps): RunIndex {
  if (runIndex !== undefined) return runIndex;
  throw new ApiRefusal(
    "index_not_configured",
    "This deployment has no index of its runs, so they cannot be listed. Bind the class RunIndexDO as RUN_INDEX_DO.",
  );
}
