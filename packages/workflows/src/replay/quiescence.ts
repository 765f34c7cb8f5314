/**
 * Tracks whether the function is idle: active, idle for some microtasks, or idle for a whole turn of the event loop.
 *
 * Owns: the two waits for an idle function. A whole turn of the event loop runs every microtask. This costs too much
 * between the steps of a plain sequence, so while a single operation is open the wait is a fixed number of microtasks.
 * The number suffices for code that awaits only operations, and is equal live and on replay. The run's profile contains
 * the numbers (REP8).
 */
import type { ReplayProfile } from "@holdfast/protocol";
import type { JournalFeed } from "./journal-feed.ts";
import type { Platform } from "./platform.ts";

const SETTLED = Promise.resolve();

export type SettledLevel = "moving" | "short" | "turn";

export class Quiescence {
  readonly #platform: Platform;
  readonly #profile: ReplayProfile;
  readonly #feed: Pick<JournalFeed, "arriving">;
  #level: SettledLevel = "moving";
  #movements = 0;
  #inARow = 0;

  constructor(platform: Platform, profile: ReplayProfile, feed: Pick<JournalFeed, "arriving">) {
    this.#platform = platform;
    this.#profile = profile;
    this.#feed = feed;
  }

  get level(): SettledLevel {
    return this.#level;
  }

  /** Records activity: the function received an outcome or requested an operation. */
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

  /** Waits for the microtasks in which a body ends immediately. The wait is equal live and on replay. */
  async atOnce(): Promise<void> {
    const { atOnceTicks } = this.#profile;
    for (let tick = 0; tick < atOnceTicks; tick++) await SETTLED;
  }

  async turn(): Promise<void> {
    this.#inARow = 0;
    const before = this.#movements;
    await this.#platform.turn();
    // Only here can a page take its time: after a whole turn, more time changes no order.
    if (this.#feed.arriving !== undefined) await this.#feed.arriving;
    if (this.#movements === before) this.#level = "turn";
  }
}
