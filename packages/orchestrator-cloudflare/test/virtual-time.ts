/**
 * Virtual time for a deployment and its step handlers, in one process.
 *
 * Owns: the clock, the timers of both sides, and the alarm of one run. Turns of the event loop stay real.
 */
import type { StepHandlerOptions } from "@holdfast/workflows/handler";
import { vi } from "vitest";
import type { FakeDeployment } from "./fake-platform.ts";

/** The number of turns of the event loop in which everything that needs no time has happened. */
const IDLE_TURNS = 25;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The platform of a step handler in virtual time. */
export const virtualPlatform: NonNullable<StepHandlerOptions["platform"]> = {
  now: () => Date.now(),
  turn,
  setTimer: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  randomId: () => crypto.randomUUID().replaceAll("-", ""),
  log: () => {},
};

/** Signatures are made by other threads of the process, while virtual time must not advance. */
const THREADED = ["digest", "importKey", "sign", "verify"] as const;

let threads = 0;

/** Counts the calls that other threads still execute. */
function countThreads(): void {
  for (const name of THREADED) {
    const { subtle } = crypto;
    const work: (...args: never[]) => Promise<unknown> = subtle[name].bind(subtle);
    vi.spyOn(subtle, name).mockImplementation(((...args: never[]) => {
      threads += 1;
      return work(...args).finally(() => {
        threads -= 1;
      });
    }) as never);
  }
}

export class VirtualTime {
  readonly #api: FakeDeployment;
  readonly #runId: string;
  #handlesAlarm = false;

  /** Replaces the timers and the date of this process. */
  static begin(): void {
    countThreads();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
  }

  static end(): void {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }

  constructor(api: FakeDeployment, runId: string) {
    this.#api = api;
    this.#runId = runId;
  }

  /** Waits until nothing more happens at this time. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < IDLE_TURNS; idle = threads > 0 ? 0 : idle + 1) await turn();
  }

  /** Waits until nothing more happens, then advances to the next timer, or to the alarm of the run. */
  async advance(): Promise<void> {
    await this.settle();
    const storage = this.#api.storageOf(this.#runId);
    const { alarmAt } = storage;
    const wakes = alarmAt !== null && !this.#handlesAlarm;
    // The next timer is this one, or one that is due before it.
    const mark = wakes ? setTimeout(() => {}, Math.max(alarmAt - Date.now(), 0)) : undefined;
    vi.advanceTimersToNextTimer();
    clearTimeout(mark);
    if (!wakes || storage.alarmAt !== alarmAt || alarmAt > Date.now()) return;
    this.#handlesAlarm = true;
    void this.#api.alarm(this.#runId).finally(() => {
      this.#handlesAlarm = false;
    });
  }
}
