/**
 * WebSockets that follow a run and hibernate: they stay open while the idle object is out of memory.
 *
 * Owns: the time and content of messages. A reader gets the next batch of events after it acknowledged the last one, so
 * no events are buffered for a slow reader. The platform stores each reader's position with its socket.
 */
import { NO_PARTS, type RunHeader, type View } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import type { HibernatingSocketLike, SocketHostLike } from "../platform-types.ts";
import { SOCKET_CURSOR_CHARS, cursorProblem } from "./event-cursor.ts";
import { type FeedSource, RunFeed, type SentState } from "./run-feed.ts";

/** The state that the platform stores with a socket. */
interface Place extends SentState {
  readonly cursor?: string | undefined;
  /** What the reader may see. Absent: an earlier version accepted the socket. */
  readonly view?: View | undefined;
  /** The reader has acknowledged all messages. */
  readonly ready: boolean;
}

declare const WebSocketPair: new () => { readonly 0: unknown; readonly 1: HibernatingSocketLike };

export class RunSockets {
  readonly #host: SocketHostLike;
  readonly #source: FeedSource;
  readonly #readersMax: number;
  /** Whether sockets may exist. The platform is asked once per object instance. */
  #any: boolean;
  #scheduled = false;

  constructor(host: SocketHostLike, source: FeedSource, readersMax: number) {
    this.#host = host;
    this.#source = source;
    this.#readersMax = readersMax;
    this.#any = host.getWebSockets().length > 0;
  }

  /**
   * Answers a request to open a socket.
   * @throws ApiRefusal `too_many_readers`, or `invalid_query` if the position of the reader is too long to be stored with a
   *   socket. A refused request leaves no socket: the platform gets it when nothing can fail any more.
   */
  open(header: RunHeader, cursor: string | undefined, fromNow: boolean, view: View): Response {
    if (this.#host.getWebSockets().length >= this.#readersMax) {
      throw new ApiRefusal(
        "too_many_readers",
        `${this.#readersMax} readers already follow this run. Try again when one has left.`,
      );
    }
    const feed = new RunFeed(this.#source, cursor, view);
    if (fromNow) feed.skip(header);
    const { place } = feed;
    const problem = cursorProblem(place.cursor, true);
    if (problem !== undefined) throw new ApiRefusal("invalid_query", `The position of this reader ${problem}.`);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#host.acceptWebSocket(server);
    server.serializeAttachment({ ...place, view, ready: true } satisfies Place);
    this.#any = true;
    this.changed();
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  /** Handles a message of a reader: any message is an acknowledgement. */
  acknowledged(socket: HibernatingSocketLike): void {
    socket.serializeAttachment({ ...(socket.deserializeAttachment() as Place), ready: true } satisfies Place);
    this.#send(socket);
  }

  /** Handles a commit, or new progress. All changes of one event-loop turn are sent together. */
  changed(): void {
    if (!this.#any || this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      for (const socket of this.#host.getWebSockets()) this.#send(socket);
    }, 0);
  }

  close(code: number, reason: string): void {
    for (const socket of this.#host.getWebSockets()) socket.close(code, reason);
  }

  #send(socket: HibernatingSocketLike): void {
    const place = socket.deserializeAttachment() as Place;
    const header = this.#source.header();
    if (!place.ready || header === undefined) return;
    const feed = new RunFeed(this.#source, place.cursor, place.view ?? NO_PARTS, place);
    const { events, over } = feed.read(header);
    if (feed.place.cursor.length > SOCKET_CURSOR_CHARS) {
      return socket.close(1009, "The run has too many streams for a socket; follow it with Server-Sent Events.");
    }
    if (events.length > 0) {
      socket.send(JSON.stringify({ events: events.map(({ type, cursor, data }) => ({ type, id: cursor, data })) }));
      socket.serializeAttachment({ ...feed.place, view: place.view, ready: false } satisfies Place);
    }
    if (over) socket.close(1000, "The run has ended.");
  }
}
