/**
 * Knows how well the function has settled since it was last given something to do.
 *
 * Owns: the two ways of letting it settle. A whole turn of the event loop lets every microtask run, however deep. That
 * costs too much between the steps of a plain sequence, so while a single operation is open a fixed number of
 * microtasks has to do: enough for code between two operations that awaits nothing but operations, and the same
 * number live and on replay. The numbers are those of the run's profile (REP8).
 */
import type { ReplayProfile } from "@holdfast/protocol";
import type { Platform } from "./platform.ts";

const SETTLED = Promise.resolve();

export type SettledLevel = "moving" | "short" | "turn";

export class Quiescence {
  readonly #platform: Platform;
  readonly #profile: ReplayProfile;
  #level: SettledLevel = "moving";
  #movements = 0;
  #inARow = 0;

  constructor(platform: Platform, profile: ReplayProfile) {
    this.#platform = platform;
    this.#profile = profile;
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
    const { shortTicks, shortInARowMax } = this.#profile;
    if (this.#inARow > shortInARowMax) return this.turn();
    const before = this.#movements;
    for (let tick = 0; tick < shortTicks; tick++) await SETTLED;
    if (this.#movements === before && this.#level === "moving") this.#level = "short";
  }

  /** Passes the time in which a body that ends at once does so, live; the same time on replay. */
  async atOnce(): Promise<void> {
    const { atOnceTicks } = this.#profile;
    for (let tick = 0; tick < atOnceTicks; tick++) await SETTLED;
  }

  async turn(): Promise<void> {
    this.#inARow = 0;
    const before = this.#movements;
    await this.#platform.turn();
    if (this.#movements === before) this.#level = "turn";
  }
}
