/**
 * The readers that follow one run by Server-Sent Events (STR2).
 *
 * Owns: the limit on their number. Each reader reads the run's rows at its own speed until it disconnects or the run ends.
 */
import type { RunHeader, View } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { eventStream } from "./event-stream.ts";
import { type FeedSource, RunFeed } from "./run-feed.ts";

export class StreamReaders {
  readonly #source: FeedSource;
  readonly #changed: (ms: number) => Promise<void>;
  readonly #readersMax: number;
  #count = 0;

  /** `changed` resolves when there may be new events, or after `ms`. */
  constructor(source: FeedSource, changed: (ms: number) => Promise<void>, readersMax: number) {
    this.#source = source;
    this.#changed = changed;
    this.#readersMax = readersMax;
  }

  /** @throws ApiRefusal `too_many_readers` */
  open(header: RunHeader, cursor: string | undefined, fromNow: boolean, view: View): Response {
    if (this.#count >= this.#readersMax) {
      throw new ApiRefusal(
        "too_many_readers",
        `${this.#readersMax} readers already follow this run. Try again in a moment, or read its record.`,
      );
    }
    const feed = new RunFeed(this.#source, cursor, view);
    if (fromNow) feed.skip(header);
    this.#count += 1;
    return eventStream({
      read: () => {
        const current = this.#source.header();
        // The run may be deleted while a reader follows it.
        return current === undefined ? { events: [], over: true } : feed.read(current);
      },
      changed: this.#changed,
      closed: () => {
        this.#count -= 1;
      },
    });
  }
}
