/**
 * The result of `ctx.waitForEvent` and `ctx.waitForSignal`: a promise for one delivery that can also be iterated.
 *
 * Owns: which use gets which delivery. A call opens a wait. The first use takes that wait: the first `await`, or the first
 * turn of an iteration. Each later turn opens another one, so each delivery is seen once (WAIT2, WAIT5).
 */
import type { Execution } from "../replay/execution.ts";
import { handled } from "../replay/handled.ts";
import type { OpenOperation, WaitOutcome } from "../replay/operation.ts";
import { waitTimeoutError } from "../replay/operation.ts";
import type { Wait } from "./types.ts";

export type OnTimeout = "null" | "throw";

/**
 * Creates a wait. `open` opens a wait of the same kind; it is called once here. In runs without flag 4, the promise and
 * each iteration begin with the same delivery.
 */
export function createWait<T>(execution: Execution, open: () => OpenOperation, onTimeout: OnTimeout): Wait<T> {
  const first = open();
  const usedOnce = execution.profile?.waitsAreUsedOnce === true;
  let isUsed = false;
  const use = (): OpenOperation => {
    const operation = isUsed ? open() : first;
    isUsed = usedOnce;
    return operation;
  };
  const promise = deliveredTo<T>(execution, first, onTimeout);
  if (usedOnce) {
    deferUse(promise, () => {
      const operation = use();
      execution.races.operationOf.set(promise, operation);
      return deliveredTo<T>(execution, operation, onTimeout);
    });
  }
  return Object.assign(promise, {
    async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
      for (let operation = use(); ; operation = open()) {
        const outcome = (await operation.promise) as WaitOutcome;
        if (!outcome.timedOut) yield outcome.payload as T;
        else if (onTimeout === "throw") throw waitTimeoutError(operation.id);
        else return;
      }
    },
  });
}

/** Lets all awaits of a promise get the result of another one, which the first of them requests. */
function deferUse<T>(promise: Promise<T>, request: () => Promise<T>): void {
  let shared: Promise<T> | undefined;
  const then: Promise<T>["then"] = (fulfilled, rejected) => (shared ??= request()).then(fulfilled, rejected);
  // An await calls `then` only of a promise whose constructor is not Promise.
  Reflect.defineProperty(promise, "constructor", { value: undefined });
  // oxlint-disable-next-line unicorn/no-thenable -- it replaces the promise's own
  Reflect.defineProperty(promise, "then", { value: then });
}

/** Resolves with the payload. On a time-out, resolves with `null` or throws, as `onTimeout` says (WAIT4). */
export function deliveredTo<T>(
  execution: Execution,
  operation: OpenOperation,
  onTimeout: OnTimeout,
): Promise<T | null> {
  const promise = handled(
    operation.promise.then((settled) => {
      const outcome = settled as WaitOutcome;
      if (!outcome.timedOut) return outcome.payload as T;
      if (onTimeout === "throw") throw waitTimeoutError(operation.id);
      return null;
    }),
  );
  return execution.races.promiseOf(operation, promise);
}
