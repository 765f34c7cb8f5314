/**
 * When a failed step is tried again.
 *
 * Owns: the retry decision (STEP2, STEP3), as pure arithmetic.
 */
import { type RetryPolicy, hashText } from "@holdfast/protocol";

/** Delays grow by up to this share, so that runs that failed together do not come back together. */
const JITTER_SHARE = 0.2;

/**
 * The delay after failed attempt number `attempt` (1 = the first), in ms: the policy's, jittered, at most its maximum.
 * The jitter is a function of `key` and `attempt`: a decision that is made twice comes out the same.
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
