/**
 * A clock that moves only when told to.
 *
 * Owns: virtual time and the timers set on it. Tests never sleep; they advance.
 */
interface Timer {
  readonly at: number;
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

  /** Calls `fn` once when `ms` have passed. Returns what cancels it. */
  setTimer(ms: number, fn: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { at: this.#now + ms, order: this.#order, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer is due. */
  get nextAt(): number | undefined {
    return this.#next()?.at;
  }

  /** Moves to the next timer and runs it. False: there is none by `until`. */
  runNext(until: number = Infinity): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.at > until) return false;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fn();
    return true;
  }

  /** Moves without running what falls due on the way: that runs late, as after a downtime. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
