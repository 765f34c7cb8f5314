/**
 * Reads a list again and again while the page is visible.
 *
 * Owns: what a failure of a reading means. It is shown, except for missing credentials, for which the sign-in panel asks; and
 * the readings end if only another session or deployment would give another answer.
 */
import type { Signal } from "@preact/signals";
import { type Failure, failureOf, isLasting } from "./failure.tsx";
import { poll } from "./poll.ts";

/** `read` clears the failure when it succeeds. Returns the function that ends it. */
export function keepCurrent(
  everyMs: number,
  shown: Signal<Failure | undefined>,
  read: (ended: AbortSignal) => Promise<void>,
): () => void {
  return poll(everyMs, async (ended) => {
    try {
      await read(ended);
      return true;
    } catch (error) {
      if (ended.aborted) return false;
      const failure = failureOf(error);
      if (failure.status !== 401) shown.value = failure;
      if (isLasting(failure)) return false;
      throw error;
    }
  });
}
