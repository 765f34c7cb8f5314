/**
 * WebSockets that follow a run and hibernate: the object leaves memory while nothing happens, and they stay open.
 *
 * Owns: what is sent when. A reader gets a batch of events, and the next one when it has acknowledged that: nothing piles
 * up for a slow one. Where a reader is stands with its socket, which the platform keeps.
 */
import type { RunHeader, StoreReader } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import type { HibernatingSocketLike, SocketHostLike } from "../platform-types.ts";
import { RunFeed } from "./run-feed.ts";

interface Place {
  readonly cursor?: string | undefined;
  readonly told?: number | undefined;
  /** The reader has acknowledged all that it was sent. */
  readonly ready: boolean;
}

/** What the platform keeps with a socket is small. */
const CURSOR_CHARS_MAX = 1_500;

declare const WebSocketPair: new () => { readonly 0: unknown; readonly 1: HibernatingSocketLike };

export class RunSockets {
  readonly #host: SocketHostLike;
  readonly #store: StoreReader;
  readonly #header: () => RunHeader | undefined;
  readonly #readersMax: number;
  /** Whether there may be any: asked of the platform once for each time that the object is loaded. */
  #any: boolean;
  #soon = false;

  constructor(host: SocketHostLike, store: StoreReader, header: () => RunHeader | undefined, readersMax: number) {
    this.#host = host;
    this.#store = store;
    this.#header = header;
    this.#readersMax = readersMax;
    this.#any = host.getWebSockets().length > 0;
  }

  /** Answers a request to become a socket. */
  open(header: RunHeader, cursor: string | undefined, fromNow: boolean): Response {
    if (this.#host.getWebSockets().length >= this.#readersMax) {
      throw new ApiRefusal("too_many_readers", `${this.#readersMax} readers follow this run already.`);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#host.acceptWebSocket(server);
    const feed = new RunFeed(this.#store, cursor);
    if (fromNow) feed.skip(header);
    server.serializeAttachment({ ...feed.place, ready: true } satisfies Place);
    this.#any = true;
    this.changed();
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  /** A reader has said something: whatever it is, it acknowledges. */
  acknowledged(socket: HibernatingSocketLike): void {
    socket.serializeAttachment({ ...(socket.deserializeAttachment() as Place), ready: true } satisfies Place);
    this.#send(socket);
  }

  /** Something was committed. What comes in one turn of the event loop is told together. */
  changed(): void {
    if (!this.#any || this.#soon) return;
    this.#soon = true;
    setTimeout(() => {
      this.#soon = false;
      for (const socket of this.#host.getWebSockets()) this.#send(socket);
    }, 0);
  }

  close(code: number, reason: string): void {
    for (const socket of this.#host.getWebSockets()) socket.close(code, reason);
  }

  #send(socket: HibernatingSocketLike): void {
    const place = socket.deserializeAttachment() as Place;
    const header = this.#header();
    if (!place.ready || header === undefined) return;
    const feed = new RunFeed(this.#store, place.cursor, place.told);
    const { events, over } = feed.read(header);
    if (feed.place.cursor.length > CURSOR_CHARS_MAX) {
      return socket.close(1009, "The run has too many streams for a socket; follow it with Server-Sent Events.");
    }
    if (events.length > 0) {
      socket.send(JSON.stringify({ events: events.map(({ type, cursor, data }) => ({ type, id: cursor, data })) }));
      socket.serializeAttachment({ ...feed.place, ready: false } satisfies Place);
    }
    if (over) socket.close(1000, "The run has ended.");
  }
}
