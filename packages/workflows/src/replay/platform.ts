/**
 * The platform port of the replay engine.
 *
 * Owns: the port, and its default over the globals of the web platform. The simulator and the test harness have their
 * own implementations.
 */
import {
  type ExecutionStart,
  type OperationId,
  type ReplayChanges,
  errorParts,
  toErrorValue,
} from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";

/** The parts of an execution that a listener for its unhandled rejections uses. */
export interface GuardedRun {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly feed: { readonly replaying: boolean };
  /** Of `ctx.signal`. */
  readonly controller: AbortController;
  /** Called with each of them. */
  unhandled: ((reason: unknown, step: OperationId | undefined) => void) | undefined;
}

export interface Platform {
  /** The time, ms since the epoch. For time stamps only: it must not influence a decision. */
  now(): number;
  /** Resolves in a later turn of the event loop, after all microtasks of this turn. */
  turn(): Promise<void>;
  /** Calls `fn` once after `ms`. Returns a function that cancels the timer. */
  setTimer(ms: number, fn: () => void): () => void;
  /** Returns an id that cannot be guessed: 128 bits as 32 hexadecimal digits. */
  randomId(): string;
  log(line: Readonly<Record<string, unknown>>): void;
  /** Takes the rejections of one more execution: see unhandled-rejections.ts. Not needed in workerd. */
  guardRejections?(run: GuardedRun): () => void;
  /** Guards the process against listeners of a body's signal that throw. */
  guardSignal?(signal: AbortSignal): void;
  /** For tests: the changes of replay flags, by flag number. */
  readonly replayFlags?: ReplayChanges;
  /** Calls a body, perhaps later (DUR11). Default: now. */
  callBody?(call: () => Promise<unknown>): Promise<unknown>;
  /** For tests: returns the replacement of a body. The replacement of a compensation gets the step's result. */
  replaceBody?(kind: "step" | "compensation", name: string): ((given: never) => unknown) | undefined;
}

// Read at module load: test runners replace the globals with fakes, which must not stop the engine.
const { setTimeout: setTimeoutNow, clearTimeout: clearTimeoutNow } = globalThis;
const { setImmediate: setImmediateNow } = globalThis as { setImmediate?: (fn: () => void) => unknown };

/** The parts of Node's `process` that the engine uses. Deno, Bun and Workers with `nodejs_compat` have most of them. */
export interface RuntimeProcess {
  readonly getBuiltinModule?: (id: string) => unknown;
  readonly prependListener?: (event: string, listener: (reason: unknown) => void) => unknown;
  readonly off: (event: string, listener: (reason: unknown) => void) => unknown;
  readonly listenerCount: (event: string) => number;
  readonly env?: object;
  readonly execArgv?: readonly string[];
  readonly versions?: Readonly<Record<string, string | undefined>>;
}

export const runtimeProcess: RuntimeProcess | undefined = (globalThis as { process?: RuntimeProcess }).process;

/** Whether this is a Worker, where an execution cannot outlive its request. */
export const isWorkerd: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** How long the turns of a process may let no timer fire and no socket be read, ms; and their number, where no clock runs. */
const BUSY_MS_MAX = 25;
const BUSY_TURNS_MAX = 256;

let restedAt = 0;
let turns = 0;

function sendTurn(resolve: () => void): void {
  // In workerd timers and `setImmediate` take a millisecond, and a message over a channel comes after two microtasks.
  // To read a body takes microseconds, and comes after all of them. But while a loop does it, no timer of the process
  // fires and no socket is read. So a turn is a timer after some time. No request waits for the timer of another.
  if (isWorkerd && turns++ < BUSY_TURNS_MAX && Date.now() - restedAt < BUSY_MS_MAX)
    return void new Response(" ").text().then(resolve);
  (setImmediateNow ?? setTimeoutNow)(() => {
    restedAt = Date.now();
    turns = 0;
    resolve();
  });
}

/** The longest timer of the web platform, ms. Longer waits use several timers. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A line of the log as JSON. Never throws: a line must not fail the run that writes it (STR3). */
function lineText(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, (_key, part: unknown) =>
      part instanceof Error
        ? { ...errorParts(part), stack: part.stack }
        : typeof part === "bigint"
          ? String(part)
          : part,
    );
  } catch (error) {
    const data = `[not JSON: ${toErrorValue(error).message}]`;
    return JSON.stringify({ ...line, message: typeof line["message"] === "string" ? line["message"] : data, data });
  }
}

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
  log: (line) => console.log(lineText(line)),
};
