/**
 * A virtual clock, which tests advance.
 *
 * Owns: virtual time and its timers. Tests advance the clock and never sleep.
 */
import { Heap } from "./heap.ts";

interface Timer {
  at: number;
  readonly order: number;
  /** `undefined`: the timer was cancelled. */
  fn: (() => void) | undefined;
}

export class VirtualClock {
  #now: number;
  #order = 0;
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Calls `fn` once after `ms`. Returns a function that cancels the timer. */
  setTimer(ms: number, fn: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { at: this.#now + ms, order: this.#order, fn };
    this.#timers.add(timer);
    return () => {
      timer.fn = undefined;
    };
  }

  /** The time of the next timer, ms since the epoch. */
  get nextAt(): number | undefined {
    return this.#next()?.at;
  }

  /** Advances to the next timer and runs it. Returns false if no timer is due by `until`. */
  runNext(until: number = Infinity): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.at > until) return false;
    this.#timers.takeFirst();
    this.#now = Math.max(this.#now, timer.at);
    timer.fn?.();
    return true;
  }

  /**
   * Advances without running the timers that become due: they run late, as after a downtime. A negative `ms` sets the clock
   * back; timers run after their durations all the same.
   */
  jump(ms: number): void {
    this.#now += ms;
    // All of them change by the same time, so their order stays.
    if (ms < 0) for (const timer of this.#timers.items) timer.at += ms;
  }

  #next(): Timer | undefined {
    while (this.#timers.first !== undefined && this.#timers.first.fn === undefined) this.#timers.takeFirst();
    return this.#timers.first;
  }
}
