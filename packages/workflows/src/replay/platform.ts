/**
 * What the replay engine needs from where it runs.
 *
 * Owns: the port, and its default over the web's globals. The simulator and the test harness bring their own.
 */
import type { ReplayChanges } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";

export interface Platform {
  /** The time, ms since the epoch. For time stamps only; nothing is decided by it. */
  now(): number;
  /** Resolves in a later turn of the event loop, when all microtasks of this one are done. */
  turn(): Promise<void>;
  /** Calls `fn` once after `ms`. Returns what cancels it. */
  setTimer(ms: number, fn: () => void): () => void;
  /** Unguessable, 128 bits, as 32 hexadecimal digits. */
  randomId(): string;
  log(line: Readonly<Record<string, unknown>>): void;
  /** For tests: what replay flags change, by their number. */
  readonly replayFlags?: ReplayChanges;
  /** For tests: what executes in the place of a body. A compensation's gets the step's result. */
  replaceBody?(kind: "step" | "compensation", name: string): ((given: never) => unknown) | undefined;
}

// Taken when the module loads: test runners replace the globals with fakes, which must not stop the engine.
const { setTimeout: setTimeoutNow, clearTimeout: clearTimeoutNow } = globalThis;
const { setImmediate: setImmediateNow } = globalThis as { setImmediate?: (fn: () => void) => void };

/** Whether this is a Worker, where an execution cannot outlive its request. */
export const isWorkerd: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** In workerd every timer, `setImmediate` too, waits for more than a millisecond; a message to oneself does not. */
const usesMessages = isWorkerd && typeof MessageChannel === "function";

function sendTurn(resolve: () => void): void {
  if (!usesMessages) {
    if (setImmediateNow === undefined) setTimeoutNow(resolve, 0);
    else setImmediateNow(resolve);
    return;
  }
  // A channel for each turn: what belongs to one object may not be used in another.
  const { port1, port2 } = new MessageChannel();
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a port starts by itself only this way
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
}

/** The web's timers take no longer ones; a longer time is waited for in parts. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const webPlatform: Platform = {
  now: () => Date.now(),
  turn: () => new Promise(sendTurn),
  setTimer(ms, fn) {
    if (ms <= TIMER_MS_MAX) {
      const timer = setTimeoutNow(fn, ms);
      return () => clearTimeoutNow(timer);
    }
    let cancel = webPlatform.setTimer(TIMER_MS_MAX, () => {
      cancel = webPlatform.setTimer(ms - TIMER_MS_MAX, fn);
    });
    return () => cancel();
  },
  randomId: () => randomHex(16),
  log: (line) => console.log(JSON.stringify(line)),
};
