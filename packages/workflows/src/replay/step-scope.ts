/**
 * Tells whether code runs inside a step body (STEP7, REP4).
 *
 * Owns: the mark. Where the runtime has AsyncLocalStorage (Node, Bun, Deno, Workers with `nodejs_compat`), it follows
 * the body through every await; elsewhere it covers the body's synchronous part.
 */
import type { OperationId } from "@holdfast/protocol";

interface AsyncMark {
  run<R>(store: OperationId | undefined, fn: () => R): R;
  getStore(): OperationId | undefined;
}

const mark: AsyncMark = asyncLocalStorage() ?? synchronousMark();

/** Runs a step body under its mark. */
export function insideStep<R>(op: OperationId, fn: () => R): R {
  return mark.run(op, fn);
}

/** Runs a workflow function, free of the mark of whatever started it. */
export function outsideSteps<R>(fn: () => R): R {
  return mark.run(undefined, fn);
}

/** The step in whose body the caller runs, if any. */
export function currentStep(): OperationId | undefined {
  return mark.getStore();
}

function asyncLocalStorage(): AsyncMark | undefined {
  // Not an import: not every runtime that executes workflows has this module.
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
