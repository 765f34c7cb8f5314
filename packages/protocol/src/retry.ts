/**
 * Retry policies as data.
 *
 * Owns: the default (STEP2), and the validation of an author's options (RUN7). The orchestrator computes from a policy
 * when the next attempt is due.
 */
import { type Duration, parseDurationMs } from "./durations.ts";
import { invalid } from "./errors.ts";
import * as LIMITS from "./author-limits.ts";

export type Backoff = "exponential" | "linear" | "fixed";

/** The options of an author. Absent fields come from the workflow's policy, or else from the default. */
export interface RetryOptions {
  /** The number of attempts, including the first. 1: no retry. */
  readonly max?: number | undefined;
  readonly backoff?: Backoff | undefined;
  /** The delay before the second attempt. */
  readonly initial?: Duration | undefined;
  /** No delay is longer than this. */
  readonly maxDelay?: Duration | undefined;
}

/** A complete policy, as reports of failed attempts contain it. */
export interface RetryPolicy {
  readonly max: number;
  readonly backoff: Backoff;
  readonly initialMs: number;
  readonly maxDelayMs: number;
}

/** 3 attempts. Delays grow exponentially from 1 s to at most 60 s, by factor 2 (STEP2). */
export const DEFAULT_RETRY: RetryPolicy = { max: 3, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 };

const FIELDS = ["max", "backoff", "initial", "maxDelay"];

/**
 * Completes `options` with the values of `base`.
 * @throws HoldfastError `INVALID_ARGUMENT` for an unknown field or an invalid value (RUN7).
 */
export function resolveRetry(options: RetryOptions | undefined, base: RetryPolicy, where: string): RetryPolicy {
  if (options === undefined) return base;
  checkFields(options, FIELDS, where);
  const { max = base.max, backoff = base.backoff } = options;
  if (!Number.isInteger(max) || max < 1 || max > LIMITS.stepAttempts) {
    throw invalid(`${where}.max`, `must be a whole number of attempts from 1 to ${LIMITS.stepAttempts}.`);
  }
  if (backoff !== "exponential" && backoff !== "linear" && backoff !== "fixed") {
    throw invalid(`${where}.backoff`, `must be "exponential", "linear" or "fixed".`);
  }
  const initialMs =
    options.initial === undefined ? base.initialMs : parseDurationMs(options.initial, `${where}.initial`);
  const maxDelayMs =
    options.maxDelay === undefined
      ? Math.max(base.maxDelayMs, initialMs)
      : parseDurationMs(options.maxDelay, `${where}.maxDelay`);
  if (options.initial !== undefined && initialMs > maxDelayMs) {
    throw invalid(`${where}.maxDelay`, "must not be shorter than initial.");
  }
  return {
    max,
    backoff,
    initialMs,
    maxDelayMs,
  };
}

/**
 * Rejects values other than an object with known fields (RUN7).
 * @throws HoldfastError `INVALID_ARGUMENT` naming the unknown field and the known ones.
 */
export function checkFields(value: unknown, known: readonly string[], where: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(where, `must be an object with ${known.join(", ")}.`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw invalid(`${where}.${key}`, `unknown option. Known are: ${known.join(", ")}.`);
    }
  }
}
