/**
 * Retry policies as data: what authors write, checked and completed.
 *
 * Owns: the default (STEP2) and the validation (RUN7). When the next attempt is due is the orchestrator's decision.
 */
import { type Duration, parseDurationMs } from "./durations.ts";
import { HoldfastError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

export type Backoff = "exponential" | "linear" | "fixed";

/** What an author may write. What is left out comes from the workflow's policy, else from the default. */
export interface RetryOptions {
  /** Attempts in all, the first included. 1 means: no retry. */
  readonly max?: number;
  readonly backoff?: Backoff;
  /** The delay before the second attempt. */
  readonly initial?: Duration;
  /** No delay is longer than this. */
  readonly maxDelay?: Duration;
}

/** A complete policy, as it travels with a failed attempt. */
export interface RetryPolicy {
  readonly max: number;
  readonly backoff: Backoff;
  readonly initialMs: number;
  readonly maxDelayMs: number;
}

/** 3 attempts, exponential from 1 s, factor 2, at most 60 s (STEP2). */
export const DEFAULT_RETRY: RetryPolicy = { max: 3, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 };

const FIELDS = ["max", "backoff", "initial", "maxDelay"];

/**
 * Completes `options` from `base`.
 * @throws HoldfastError `INVALID_ARGUMENT` for an unknown field or a bad value (RUN7).
 */
export function resolveRetry(options: RetryOptions | undefined, base: RetryPolicy, where: string): RetryPolicy {
  if (options === undefined) return base;
  checkFields(options, FIELDS, where);
  const { max = base.max, backoff = base.backoff } = options;
  if (!Number.isInteger(max) || max < 1 || max > LIMITS.stepAttempts) {
    throw new HoldfastError(
      "INVALID_ARGUMENT",
      `${where}.max: must be a whole number from 1 to ${LIMITS.stepAttempts}.`,
    );
  }
  if (backoff !== "exponential" && backoff !== "linear" && backoff !== "fixed") {
    throw new HoldfastError("INVALID_ARGUMENT", `${where}.backoff: must be "exponential", "linear" or "fixed".`);
  }
  const initialMs =
    options.initial === undefined ? base.initialMs : parseDurationMs(options.initial, `${where}.initial`);
  const maxDelayMs =
    options.maxDelay === undefined
      ? Math.max(base.maxDelayMs, initialMs)
      : parseDurationMs(options.maxDelay, `${where}.maxDelay`);
  if (options.initial !== undefined && initialMs > maxDelayMs) {
    throw new HoldfastError("INVALID_ARGUMENT", `${where}.maxDelay: must not be shorter than initial.`);
  }
  return {
    max,
    backoff,
    initialMs,
    maxDelayMs,
  };
}

/**
 * Refuses anything but a plain object with known fields (RUN7).
 * @throws HoldfastError `INVALID_ARGUMENT` naming the unknown field and the known ones.
 */
export function checkFields(value: unknown, known: readonly string[], where: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HoldfastError("INVALID_ARGUMENT", `${where}: must be an object with ${known.join(", ")}.`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new HoldfastError("INVALID_ARGUMENT", `${where}.${key}: unknown option. Known are: ${known.join(", ")}.`);
    }
  }
}
