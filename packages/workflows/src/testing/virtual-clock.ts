/**
 * A virtual clock, which tests advance.
 *
 * Owns: virtual time and its timers. Tests advance the clock and never sleep.
 */
interface Timer {
  at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class VirtualClock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

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
    return () => this.#timers.delete(timer);
  }

  /** The time of the next timer, ms since the epoch. */
  get nextAt(): number | undefined {
    return this.#next()?.at;
  }

  /** Advances to the next timer and runs it. Returns false if no timer is due by `until`. */
  runNext(until: number = Infinity): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.at > until) return false;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fn();
    return true;
  }

  /**
   * Advances without running the timers that become due: they run late, as after a downtime. A negative `ms` sets the clock
   * back; timers run after their durations all the same.
   */
  jump(ms: number): void {
    this.#now += ms;
    if (ms < 0) for (const timer of this.#timers) timer.at += ms;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
