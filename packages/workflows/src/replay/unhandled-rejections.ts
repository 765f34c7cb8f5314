/**
 * Rejections that nothing handles, in runtimes that end the process then: Node, Deno and Bun (REP7).
 *
 * Owns: one listener per process, from the first execution until some time after the last one. It takes the rejections
 * of promises that a run's code made. For all others the process behaves as if this listener did not exist: the host's
 * listeners decide, and without one the runtime does. In Bun, where the two look alike, it takes each that no listener of
 * the host gets. A Worker needs none of this: it is the part of the platform that step handlers and tests add, so that it
 * stays out of the bundle of an author's Worker.
 */
import { readProperty, toErrorValue } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import {
  type GuardedRun,
  type Platform,
  type RuntimeProcess,
  isWorkerd,
  runtimeProcess,
  webPlatform,
} from "./platform.ts";
import { currentPlace, shared } from "./step-scope.ts";

const EVENT = "unhandledRejection";

// Read at module load: test runners replace the globals with fakes.
const { setTimeout: setTimeoutNow, clearTimeout: clearTimeoutNow } = globalThis;

/** Takes the rejections of one more execution. The execution calls the result once, when its bodies have settled. */
export function guardRejections(process: RuntimeProcess | undefined = runtimeProcess): () => void {
  if (process?.prependListener === undefined || isWorkerd) return () => {};
  shared.executions += 1;
  shared.remove ??= install(process);
  return () => {
    shared.executions -= 1;
    if (shared.executions === 0) removeLater();
  };
}

/** The platform of a process that does not end because of a run's code. */
export const guardedPlatform: Platform = { ...webPlatform, guardRejections: guardRun, guardSignal };

/** Takes the rejections of an execution, and logs them, after the end of the run too. A replay does not log them again. */
export function guardRun(guarded: GuardedRun): () => void {
  const { run, workflowId, epoch } = guarded.start;
  guardSignal(guarded.controller.signal);
  guarded.unhandled = (reason, step) => {
    if (guarded.feed.replaying) return;
    guarded.platform.log({
      level: "warn",
      message: "A promise of this run was rejected, and no code handled it. Await it, or add a catch to it.",
      data: { step, ...described(reason) },
      runId: run.id,
      tenantId: run.tenantId,
      workflowId,
      epoch,
    });
  };
  return guardRejections();
}

function described(reason: unknown): object {
  return { error: toErrorValue(reason), stack: readProperty(Object(reason), "stack") };
}

type Listener = (this: unknown, event: Event) => unknown;

/** Returns a listener that rejects a promise where the given one, a function or an object, throws. */
function guardOf(listener: object): Listener {
  return function call(event) {
    try {
      const isFunction = typeof listener === "function";
      const handle: unknown = isFunction ? listener : Reflect.get(listener, "handleEvent");
      void Reflect.apply(handle as Listener, isFunction ? this : listener, [event]);
    } catch (error) {
      void Promise.reject(error);
    }
  };
}

/**
 * Turns what listeners of a signal throw into rejections. Node raises it as an exception that ends the process, also what
 * an async listener rejects with; in a Worker it does no harm. Signals that code derives from this one are not guarded.
 */
export function guardSignal(signal: AbortSignal): void {
  const guards = new WeakMap<object, Listener>();
  const guarded = (listener: unknown): never => {
    if (Object(listener) !== listener) return listener as never;
    // A cast: it is an object or a function.
    const given = listener as object;
    const guard = guards.get(given) ?? guardOf(given);
    guards.set(given, guard);
    return guard as never;
  };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void =>
    add(type, guarded(listener), options);
  signal.removeEventListener = (type: string, listener: unknown, options?: boolean | EventListenerOptions): void =>
    remove(type, guarded(listener), options);
  let onabort: unknown = null;
  Object.defineProperty(signal, "onabort", {
    configurable: true,
    get: () => onabort,
    set: (listener: unknown) => {
      onabort = typeof listener === "function" ? listener : null;
      Reflect.set(AbortSignal.prototype, "onabort", guarded(onabort), signal);
    },
  });
}

/** Code that was aborted may still reject promises for a while. */
function removeLater(): void {
  clearTimeoutNow(shared.timer);
  shared.timer = setTimeoutNow(() => {
    if (shared.executions > 0) return;
    shared.remove?.();
    shared.remove = undefined;
  }, LIMITS.siblingGraceMs);
  (shared.timer as { unref?: () => void }).unref?.();
}

function install(process: RuntimeProcess): () => void {
  const logged = new WeakSet();
  const listener = (reason: unknown): void => {
    const object = typeof reason === "object" && reason !== null ? reason : undefined;
    const place = currentPlace();
    const run = place?.run ?? (object && shared.errors.get(object));
    if (run === undefined) return leaveToProcess(process, listener, reason);
    if (object !== undefined && logged.has(object)) return;
    if (object !== undefined) logged.add(object);
    run.unhandled?.(reason, place?.step);
  };
  // First, so that it can be gone when the listeners of the host are called.
  process.prependListener?.(EVENT, listener);
  return () => process.off(EVENT, listener);
}

/**
 * Leaves a rejection to the listeners of the host, or repeats it for the runtime: both without this listener. A listener of
 * Vitest reports a rejection only if there is no other one.
 */
function leaveToProcess(process: RuntimeProcess, listener: (reason: unknown) => void, reason: unknown): void {
  const putBack = (): void => {
    if (shared.remove !== undefined) process.prependListener?.(EVENT, listener);
  };
  if (process.listenerCount(EVENT) > 1) {
    process.off(EVENT, listener);
    queueMicrotask(putBack);
    return;
  }
  // Bun calls the listener without the async context of the promise, so it may be one of a run.
  if (process.versions?.["bun"] !== undefined) {
    const message =
      "A promise was rejected, and no code handled it. If it is one of a run, await it, or add a catch to it.";
    return webPlatform.log({ level: "warn", message, data: described(reason) });
  }
  // In these two modes Node acts on each rejection, whether or not there are listeners.
  const options = [readProperty(process.env ?? {}, "NODE_OPTIONS"), ...(process.execArgv ?? [])].join(" ");
  const mode = options.split(/--unhandled-rejections[= ]/).at(-1) ?? "";
  if (/^(?:warn|strict)(?![\w-])/.test(mode)) return;
  process.off(EVENT, listener);
  void Promise.reject(reason);
  // The runtime has handled the repetition by then.
  setTimeoutNow(putBack, 0);
}
