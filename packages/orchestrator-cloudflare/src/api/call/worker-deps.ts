/**
 * The dependencies that a deployment passes to the handler of its Worker.
 *
 * Owns: their type, their schema, their defaults, and the refusal of requests that need an index in a deployment without one.
 */
import type { FlowLimit, ScheduleConfig } from "@holdfast/orchestrator";
import { DEFAULT_LIMITS, type Limits } from "@holdfast/protocol";
import * as v from "valibot";
import { VERIFIER } from "../../auth/authenticate.ts";
import type { VerifyRequest } from "../../auth/principal.ts";
import { URL_KEYS } from "../../auth/url-keys.ts";
import { HOOKS, type Hook } from "../../auth/webhook.ts";
import type { RunIndex } from "../../index-object/run-index.ts";
import { FIELDS, LIMITS_SCHEMA, depsCheck } from "../../options.ts";
import type { DurableObjectNamespaceLike, RateLimitLike } from "../../platform-types.ts";
import { ApiRefusal } from "../../refusal.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";

export interface WorkerDeps {
  /** The binding of the run's Durable Object class. */
  readonly runDO: DurableObjectNamespaceLike;
  /** The binding of the class of coordinators. Without it the routes of limits, schedules and events answer `501`. */
  readonly coordinatorDO?: DurableObjectNamespaceLike | undefined;
  /**
   * Authenticates requests. Without it every API route answers `503 auth_not_configured`. `"open"` accepts every request
   * with all scopes: for local development.
   */
  readonly verifyRequest?: VerifyRequest | "open" | null | undefined;
  /** The schedules that the code declares, as `readDeclaration` of @holdfast/orchestrator returns them (SCH9). */
  readonly schedules?: readonly ScheduleConfig[] | undefined;
  /** The limits of the workflows of this Worker, for `holdfast sync` (GATE8). */
  readonly declaredLimits?: readonly Pick<FlowLimit, "name" | "settings">[] | undefined;
  /** The time of this version of the Worker, ms since 1970: its declarations replace those of earlier ones. Default 0. */
  readonly rev?: number | undefined;
  /** The index of runs. Without it, lists answer `501 index_not_configured`, and all other routes work. */
  readonly runIndex?: RunIndex | undefined;
  /** The environment of runs whose trigger names none. Default `"production"`. */
  readonly environment?: string | undefined;
  /**
   * The URL of this API, as callers and browsers use it: URLs of tokens start with it, and pages of its origin may call the
   * API. Default: URLs of tokens are relative, such as `/public/tokens/…`, and pages of the origin of a request's own URL
   * may call the API, which is another one after a proxy that ends TLS.
   */
  readonly publicUrl?: string | undefined;
  /** Other origins whose pages may call the API, with CORS headers (SEC6). Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * The keys of public URLs, the newest first. URLs of the others are still accepted. Default: one key, which `runIndex`
   * stores. Pass the same to the run's object.
   */
  readonly urlKeys?: readonly string[] | undefined;
  /** Limits the requests about public tokens, by the address of the client. Default: no limit. */
  readonly publicRateLimit?: RateLimitLike | undefined;
  /** The largest request body. Default `limits.requestBytes`. */
  readonly requestBytesMax?: number | undefined;
  /** The sources of webhooks, by the last part of their path `/hooks/:source` (EVT12). Default: none. */
  readonly hooks?: Readonly<Record<string, Hook>> | undefined;
  /** Whether the deployment is held, for the health check (DUR12). Default `false`. */
  readonly hold?: boolean | undefined;
  /** Whether one process is the whole deployment: then `/metrics` shows its counters (OBS3). Default `false`. */
  readonly singleProcess?: boolean | undefined;
  /** `counted` gets the counters of the Worker's isolates. Pass the same to the run's object. */
  readonly telemetry?: Telemetry | undefined;
  /** The limits of this deployment (`limitsFrom`). Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
}

const WORKER_DEPS = v.strictObject({
  runDO: FIELDS.namespace,
  coordinatorDO: v.optional(FIELDS.namespace),
  schedules: v.optional(v.array(v.any())),
  declaredLimits: v.optional(v.array(v.any())),
  rev: v.optional(FIELDS.rev),
  verifyRequest: v.nullish(VERIFIER),
  runIndex: v.optional(FIELDS.runIndex),
  environment: v.optional(FIELDS.environment),
  publicUrl: v.optional(FIELDS.publicUrl),
  allowedOrigins: v.optional(FIELDS.allowedOrigins),
  urlKeys: v.optional(URL_KEYS),
  publicRateLimit: v.optional(FIELDS.rateLimit),
  requestBytesMax: v.optional(FIELDS.requestBytesMax),
  hooks: v.optional(HOOKS),
  hold: v.optional(FIELDS.hold),
  singleProcess: v.optional(FIELDS.singleProcess),
  telemetry: v.optional(FIELDS.telemetry),
  limits: v.optional(LIMITS_SCHEMA),
} satisfies Record<keyof WorkerDeps, v.GenericSchema>);

/** @throws Misconfigured */
export const checkWorkerDeps: (deps: WorkerDeps) => void = depsCheck(WORKER_DEPS, "deps");

/** Returns the environment of runs whose trigger names none. */
export function environmentOf({ environment = "production" }: Pick<WorkerDeps, "environment">): string {
  return environment;
}

/** Returns the limits of this deployment. */
export function limitsOf({ limits = DEFAULT_LIMITS }: WorkerDeps): Limits {
  return limits;
}

/** Returns the largest request body that this deployment accepts, in bytes. */
export function requestBytesMax(deps: WorkerDeps): number {
  return deps.requestBytesMax ?? limitsOf(deps).requestBytes;
}

/**
 * Returns the index of runs.
 * @throws ApiRefusal `index_not_configured`
 */
export function requireIndex({ runIndex }: WorkerDeps): RunIndex {
  if (runIndex !== undefined) return runIndex;
  throw new ApiRefusal(
    "index_not_configured",
    "This deployment has no index of its runs, so they cannot be listed. Bind the class RunIndexDO as RUN_INDEX_DO. In a Worker of your own, pass runIndex: durableObjectIndex({ binding: env.RUN_INDEX_DO }) to its handler and to the run's object.",
  );
}
