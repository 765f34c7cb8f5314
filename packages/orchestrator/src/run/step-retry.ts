/**
 * The delay before a failed attempt is repeated: of a step, or of a dispatch.
 *
 * Owns: the computation of the backoff (STEP2).
 */
import { type RetryPolicy, hashText } from "@holdfast/protocol";

/** Jitter adds up to this share to a delay. Runs that failed together therefore do not retry together. */
const JITTER_SHARE = 0.2;

/**
 * Returns the delay after failed attempt number `attempt` (from 1), ms: the policy's delay with jitter, at most its
 * maximum. The jitter depends on `key` and `attempt` only, so the same call returns the same delay.
 */
export function computeBackoffDelayMs(policy: RetryPolicy, attempt: number, key: string): number {
  const { initialMs, maxDelayMs } = policy;
  const plain =
    policy.backoff === "fixed"
      ? initialMs
      : policy.backoff === "linear"
        ? initialMs * attempt
        : initialMs * 2 ** Math.min(attempt - 1, 52);
  const jittered = plain * (1 + JITTER_SHARE * (hashText(`${key}/${attempt}`) / 2 ** 32));
  return Math.round(Math.min(jittered, maxDelayMs));
}
