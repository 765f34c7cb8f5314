/**
 * The result of `ctx.waitForEvent` and `ctx.waitForSignal`: a promise for one delivery that can also be iterated.
 */
import type { OpenOperation, WaitOutcome } from "../replay/operation.ts";
import { waitTimeoutError } from "../replay/operation.ts";
import type { Wait } from "./types.ts";

export type OnTimeout = "null" | "throw";

/** Creates a wait. `open` opens another wait of the same kind: each iteration is a separate wait (WAIT5). */
export function createWait<T>(open: () => OpenOperation, onTimeout: OnTimeout): Wait<T> {
  const first = open();
  const promise = deliveredTo<T>(first, onTimeout);
  return Object.assign(promise, {
    async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
      for (let operation = first; ; operation = open()) {
        const outcome = (await operation.promise) as WaitOutcome;
        if (!outcome.timedOut) yield outcome.payload as T;
        else if (onTimeout === "throw") throw waitTimeoutError(operation.id);
        else return;
      }
    },
  });
}

/** Resolves with the payload. On a time-out, resolves with `null` or throws, as `onTimeout` says (WAIT4). */
export function deliveredTo<T>(operation: OpenOperation, onTimeout: OnTimeout): Promise<T | null> {
  const promise = operation.promise.then((settled) => {
    const outcome = settled as WaitOutcome;
    if (!outcome.timedOut) return outcome.payload as T;
    if (onTimeout === "throw") throw waitTimeoutError(operation.id);
    return null;
  });
  promise.catch(() => {});
  return promise;
}
