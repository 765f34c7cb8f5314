/**
 * The readers that follow one run by Server-Sent Events (STR2).
 *
 * Owns: the limit on their number, and the answer to HEAD, which opens nothing. Each reader reads the run's rows at its own
 * speed until it disconnects or the run ends.
 */
import type { RunHeader, View } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { EVENT_STREAM_HEADERS, eventStream } from "./event-stream.ts";
import { Places } from "./places.ts";
import { type FeedSource, RunFeed } from "./run-feed.ts";

/** What a reader asked for. */
export interface FollowRequest {
  readonly cursor?: string | undefined;
  readonly fromNow: boolean;
  /** HEAD: only the headers of the answer. */
  readonly headersOnly?: boolean;
}

/** Lets the readers know about changes of the run. */
export interface ReaderSignals {
  /** Resolves when there may be new events, or after `ms`. */
  changed(ms: number): Promise<void>;
  /** Resolves all pending calls of `changed`. A reader without new events gets a comment. */
  notify(): void;
}

export class StreamReaders {
  readonly #source: FeedSource;
  readonly #signals: ReaderSignals;
  readonly #readersMax: number;
  readonly #places: Places;

  constructor(source: FeedSource, signals: ReaderSignals, readersMax: number) {
    this.#source = source;
    this.#signals = signals;
    this.#readersMax = readersMax;
    this.#places = new Places(readersMax, () => signals.notify());
  }

  /**
   * @param header Returns the run, or throws.
   * @throws ApiRefusal `too_many_readers`
   */
  async open(header: () => RunHeader, { cursor, fromNow, headersOnly }: FollowRequest, view: View): Promise<Response> {
    header();
    if (headersOnly === true) return new Response(null, { headers: EVENT_STREAM_HEADERS });
    if (!(await this.#places.take())) {
      throw new ApiRefusal(
        "too_many_readers",
        `${this.#readersMax} readers already follow this run. Try again in a moment, or read its record.`,
      );
    }
    try {
      return this.#follow(header(), cursor, fromNow, view);
    } catch (error) {
      this.#places.give();
      throw error;
    }
  }

  #follow(header: RunHeader, cursor: string | undefined, fromNow: boolean, view: View): Response {
    const feed = new RunFeed(this.#source, cursor, view);
    if (fromNow) feed.skip(header);
    return eventStream({
      read: () => {
        const current = this.#source.header();
        // The run may be deleted while a reader follows it.
        return current === undefined ? { events: [], over: true } : feed.read(current);
      },
      changed: (ms) => this.#signals.changed(ms),
      closed: () => this.#places.give(),
    });
  }
}
