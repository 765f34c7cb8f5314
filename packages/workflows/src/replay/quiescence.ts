/**
 * Knows how well the function has settled since it was last given something to do.
 *
 * Owns: the two ways of letting it settle. A whole turn of the event loop lets every microtask run, however deep. That
 * costs too much between the steps of a plain sequence, so while a single operation is open a fixed number of
 * microtasks has to do: enough for code between two operations that awaits nothing but operations, and the same
 * number live and on replay.
 */
import type { Platform } from "./platform.ts";

/** Microtasks that a plain sequence gets between an outcome and what follows. */
const SHORT_TICKS = 24;

/** Microtasks within which a body ends at once: one that computes or looks something up, and awaits no outside. */
const AT_ONCE_TICKS = 10;

/** After so many short settlings in a row a whole turn is taken, so that a long sequence lets others run (CAN1). */
const SHORT_IN_A_ROW_MAX = 256;

const SETTLED = Promise.resolve();

export type SettledLevel = "moving" | "short" | "turn";

export class Settling {
  readonly #platform: Platform;
  #level: SettledLevel = "moving";
  #movements = 0;
  #inARow = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  get level(): SettledLevel {
    return this.#level;
  }

  /** The function was given something, or asked for something: it may be moving. */
  moved(): void {
    this.#level = "moving";
    this.#movements += 1;
  }

  async short(): Promise<void> {
    this.#inARow += 1;
    if (this.#inARow > SHORT_IN_A_ROW_MAX) return this.turn();
    const before = this.#movements;
    for (let tick = 0; tick < SHORT_TICKS; tick++) await SETTLED;
    if (this.#movements === before && this.#level === "moving") this.#level = "short";
  }

  /** Passes the time in which a body that ends at once does so, live; the same time on replay. */
  async atOnce(): Promise<void> {
    for (let tick = 0; tick < AT_ONCE_TICKS; tick++) await SETTLED;
  }

  async turn(): Promise<void> {
    this.#inARow = 0;
    const before = this.#movements;
    await this.#platform.turn();
    if (this.#movements === before) this.#level = "turn";
  }
}
