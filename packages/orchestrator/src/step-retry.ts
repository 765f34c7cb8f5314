/**
 * When a failed step is tried again.
 *
 * Owns: the retry decision (STEP2, STEP3), as pure arithmetic.
 */
import type { RetryPolicy } from "@holdfast/protocol";

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
  const jittered = plain * (1 + JITTER_SHARE * fractionOf(`${key}/${attempt}`));
  return Math.round(Math.min(jittered, maxDelayMs));
}

/** A number in [0, 1) that is fixed by the text (FNV-1a). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
