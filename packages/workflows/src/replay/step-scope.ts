/**
 * The place of code: the run that it belongs to, and the step body that contains it (STEP7, REP4, REP7).
 *
 * Owns: the mark of a run's code. In a runtime with AsyncLocalStorage (Node, Bun, Deno, Workers with `nodejs_compat`) it
 * follows the code through every await. In other runtimes it covers only the synchronous part.
 */
import type { OperationId } from "@holdfast/protocol";
import type { Log } from "../step-context.ts";
import { type RuntimeProcess, isWorkerd, runtimeProcess } from "./platform.ts";

/** The run that code belongs to. */
export interface RunScope {
  /** Called with the rejection of a promise of the run's code that nothing handled. Undefined: the run is not guarded. */
  unhandled?: ((reason: unknown, step: OperationId | undefined) => void) | undefined;
}

/** An async context that was captured. */
export interface AsyncContext {
  runInAsyncScope<R>(fn: () => R): R;
}

/** One call of `ctx.shielded`. */
export interface Shield {
  /** False when its function has ended, or its time-out has passed. */
  open: boolean;
}

export interface Place {
  readonly run: RunScope;
  readonly step?: OperationId;
  /** The call of `ctx.shielded` whose function contains the code. */
  readonly shield?: Shield;
}

interface AsyncMark {
  run<R>(store: Place | undefined, fn: () => R): R;
  getStore(): Place | undefined;
}

/** What all copies of this package in one process share: code of one may run inside code of another. */
export interface SharedScope {
  readonly places: AsyncMark;
  /** Captures the async context of its caller. Undefined in runtimes without AsyncLocalStorage. */
  readonly capture?: (() => AsyncContext) | undefined;
  /** The run of each error that an engine gave to the author's code. */
  readonly errors: WeakMap<object, RunScope>;
  /** The number of executions that need the listener of unhandled-rejections.ts. */
  executions: number;
  /** Removes that listener. Undefined: none is installed. */
  remove?: (() => void) | undefined;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

const SHARED = Symbol.for("@holdfast/workflows/scope/1");

export const shared: SharedScope = sharedScope(runtimeProcess);

/** Runs a workflow function, or calls its listeners. */
export function insideRun<R>(run: RunScope, fn: () => R): R {
  return shared.places.run({ run }, fn);
}

/** Runs a step body, or calls its listeners. */
export function insideStep<R>(run: RunScope, step: OperationId, fn: () => R): R {
  return shared.places.run({ run, step }, fn);
}

/** Runs the function of `ctx.shielded`. */
export function insideShield<R>(run: RunScope, shield: Shield, fn: () => R): R {
  return shared.places.run({ run, shield }, fn);
}

/** Returns the call of `ctx.shielded` that contains the caller and is open. */
export function currentShield(): Shield | undefined {
  const shield = currentPlace()?.shield;
  return shield?.open === true ? shield : undefined;
}

/** Captures the async context of the caller, for the body of the step that the caller requests (STEP8). */
export function captureContext(): AsyncContext | undefined {
  return shared.capture?.();
}

let outdatedLogged = false;

/**
 * Calls `fn`, which never throws, in a captured context (STEP8). In workerd a context is valid only during the request
 * that made it: afterwards `fn` is called without it.
 */
export function inContext<R>(context: AsyncContext | undefined, fn: () => R, log: Log): R {
  if (context === undefined) return fn();
  try {
    return context.runInAsyncScope(fn);
  } catch {
    if (!outdatedLogged) {
      log.info(
        "Step bodies are called without the AsyncLocalStorage of the function: in a Worker it ends with its request.",
      );
    }
    outdatedLogged = true;
    return fn();
  }
}

/** Returns the place of the caller, if the caller is code of a run. */
export function currentPlace(): Place | undefined {
  return shared.places.getStore();
}

/** Returns the step whose body contains the caller, if any. */
export function currentStep(): OperationId | undefined {
  return currentPlace()?.step;
}

function sharedScope(process: (RuntimeProcess & { [SHARED]?: SharedScope }) | undefined): SharedScope {
  const create = (): SharedScope => {
    // Do not import the module: some runtimes that execute workflows do not have it.
    const hooks = process?.getBuiltinModule?.("node:async_hooks") as AsyncHooks | undefined;
    const more = { errors: new WeakMap<object, RunScope>(), executions: 0 };
    if (hooks === undefined) return { places: synchronousMark(), ...more };
    const { AsyncLocalStorage, AsyncResource } = hooks;
    // AsyncLocalStorage.snapshot() does the same, and takes twenty times as long in Node and three times in workerd.
    const capture = (): AsyncContext => new AsyncResource("step", { requireManualDestroy: true });
    return { places: new AsyncLocalStorage(), capture, ...more };
  };
  return process === undefined || isWorkerd ? create() : (process[SHARED] ??= create());
}

interface AsyncHooks {
  readonly AsyncLocalStorage: new () => AsyncMark;
  readonly AsyncResource: new (type: string, options: { readonly requireManualDestroy: boolean }) => AsyncContext;
}

function synchronousMark(): AsyncMark {
  let current: Place | undefined;
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
