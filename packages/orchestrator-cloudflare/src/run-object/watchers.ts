/**
 * Requests and alarms that wait for a change of the run.
 *
 * Owns: waking them at each commit. No wait is durable: a caller that gets no answer repeats its request.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import { isTerminal } from "@holdfast/protocol";

export class Watchers {
  readonly #waiting = new Set<() => void>();
  readonly #header: () => RunHeader | undefined;

  constructor(header: () => RunHeader | undefined) {
    this.#header = header;
  }

  /** Called after each commit. */
  notify(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next commit, or after `ms`. */
  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  /** Resolves when the run has ended, or after `ms`. */
  ended(ms: number): Promise<void> {
    return this.#until(({ status }) => isTerminal(status), ms);
  }

  /** Resolves when the run is not running, or after `ms`. */
  parked(ms: number): Promise<void> {
    return this.#until(({ status }) => status !== "running", ms);
  }

  /**
   * Resolves when the run is not running, when `msToDue()` have passed, or after `ms`. Each commit may change what is due
   * next.
   */
  async parkedOrDue(ms: number, msToDue: () => number): Promise<void> {
    const end = performance.now() + ms;
    while (this.#header()?.status === "running") {
      const left = Math.min(end - performance.now(), msToDue());
      if (left <= 0) return;
      await this.changed(left);
    }
  }

  async #until(wanted: (header: RunHeader) => boolean, ms: number): Promise<void> {
    const met = (): boolean => {
      const header = this.#header();
      return header === undefined || wanted(header);
    };
    if (ms <= 0 || met()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const check = (): void => {
      if (met()) resolve();
    };
    this.#waiting.add(check);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(check);
  }
}
