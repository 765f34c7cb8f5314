/**
 * Detects whether code runs inside a step body (STEP7, REP4).
 *
 * Owns: the mark of a body. In a runtime with AsyncLocalStorage (Node, Bun, Deno, Workers with `nodejs_compat`) it
 * follows the body through every await. In other runtimes it covers only the body's synchronous part.
 */
import type { OperationId } from "@holdfast/protocol";

interface AsyncMark {
  run<R>(store: OperationId | undefined, fn: () => R): R;
  getStore(): OperationId | undefined;
}

const mark: AsyncMark = asyncLocalStorage() ?? synchronousMark();

/** Runs a step body with its mark. */
export function insideStep<R>(op: OperationId, fn: () => R): R {
  return mark.run(op, fn);
}

/** Runs a workflow function without the mark of its caller. */
export function outsideSteps<R>(fn: () => R): R {
  return mark.run(undefined, fn);
}

/** Returns the step whose body contains the caller, if any. */
export function currentStep(): OperationId | undefined {
  return mark.getStore();
}

function asyncLocalStorage(): AsyncMark | undefined {
  // Do not import the module: some runtimes that execute workflows do not have it.
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  const hooks = process?.getBuiltinModule?.("node:async_hooks") as
    | { AsyncLocalStorage: new () => AsyncMark }
    | undefined;
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage();
}

function synchronousMark(): AsyncMark {
  let current: OperationId | undefined;
  return {
    run(store, fn) {
      const outer = current;
      current = store;
      try {
        return fn();
      } finally {
        current = outer;
      }
    },
    getStore: () => current,
  };
}
