/**
 * Follows a run over the socket of its stream, and reconnects when it breaks (LIVE1).
 *
 * Owns: the connection: the ticket, the position after which the next connection continues, the pauses between attempts,
 * and what takes the place of a socket that does not pass. It reports events and its state; it reads no data itself.
 *
 * Invariants
 * - FO1 There is at most one socket, and none after `stop`.
 * - FO2 Each connection continues after the last event that was handed over, so that none is missed and none comes twice.
 */
import { ApiError, type RunEvent } from "@holdfast/workflows/client";

/**
 * `polling`: sockets do not pass here, so the page asks at intervals. `suspended`: the page is hidden. `signed out`: the
 * API wants other credentials. `ended`: the run has ended, and its last event is here.
 */
export type LiveState = "connecting" | "live" | "reconnecting" | "polling" | "suspended" | "signed out" | "ended";

/** What is used of a WebSocket. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

export interface FollowHost {
  /** Makes a URL for one connection, which continues after the event. Absent: from now on. */
  ticketUrl(lastEventId: string | undefined): Promise<string>;
  openSocket(url: string): SocketLike;
  isHidden(): boolean;
  random(): number;
  /** The state changed. */
  onState(state: LiveState): void;
  /** The events after those before. */
  onEvents(events: readonly RunEvent[]): void;
  /** The page should read what changed: a connection is there again, or none can be made. */
  onCheck(): void;
}

const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 30_000;
/** The first message follows the connection at once: the state of the run. */
const OPEN_MS_MAX = 10_000;
/** A page that is hidden for so long suspends its connection. */
const HIDDEN_MS = 15_000;
/** So many failures in a row, with an API that makes tickets, show that sockets do not pass. */
const FAILURES_MAX = 3;
const POLL_MS = 2_000;
/** While it polls, the page tries a socket after each of these times. */
const RETRY_MS = 60_000;
/** The run has more streams than the position of a socket has room for. */
const TOO_LARGE = 1009;
const NORMAL = 1000;

export class RunFollower {
  readonly #host: FollowHost;
  #state: LiveState = "connecting";
  #socket: SocketLike | undefined;
  #last: string | undefined;
  #failures = 0;
  /** Counts the attempts: what an earlier one reports late is ignored. */
  #attempt = 0;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param last The event after which the first connection continues. */
  constructor(host: FollowHost, last?: string) {
    this.#host = host;
    this.#last = last;
  }

  start(): void {
    if (this.#host.isHidden()) this.#set("suspended");
    else void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#hiddenTimer);
    this.#disconnect();
  }

  /** Call when the page is hidden or shown. */
  visibilityChanged(): void {
    if (this.#stopped || this.#isFinal()) return;
    clearTimeout(this.#hiddenTimer);
    if (this.#host.isHidden()) {
      this.#hiddenTimer = setTimeout(() => this.#suspend(), HIDDEN_MS);
    } else if (this.#state === "suspended") {
      this.#failures = 0;
      void this.#connect();
    }
  }

  /** Call when the run has not ended although its stream did: something between closed the connection. */
  notEnded(): void {
    if (this.#stopped || this.#state !== "ended") return;
    this.#failures++;
    this.#pause();
  }

  /** Call when the machine is online again: it need not wait for the end of a pause. */
  online(): void {
    if (this.#stopped || this.#isFinal() || this.#state === "suspended") return;
    this.#failures = 0;
    void this.#connect();
  }

  #suspend(): void {
    if (this.#stopped || this.#isFinal()) return;
    this.#disconnect();
    this.#set("suspended");
  }

  async #connect(): Promise<void> {
    if (this.#stopped) return;
    this.#disconnect();
    const attempt = this.#attempt;
    if (this.#state === "live" || this.#state === "suspended") this.#set("reconnecting");
    let url: string;
    try {
      url = await this.#host.ticketUrl(this.#last);
    } catch (error) {
      if (attempt === this.#attempt) this.#refused(error);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#open(url, attempt);
  }

  #open(url: string, attempt: number): void {
    let socket: SocketLike;
    try {
      socket = this.#host.openSocket(url);
    } catch {
      // The browser refuses the address, or sockets at all.
      return this.#closed(attempt, 0);
    }
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#closed(attempt, 0), OPEN_MS_MAX);
    socket.addEventListener("message", ({ data }) => {
      if (attempt === this.#attempt) this.#received(socket, data);
    });
    socket.addEventListener("close", ({ code }) => this.#closed(attempt, code));
  }

  #received(socket: SocketLike, data: unknown): void {
    const events = eventsOf(data);
    if (events === undefined) return this.#closed(this.#attempt, 0);
    const isFirst = this.#state !== "live";
    if (isFirst) {
      this.#failures = 0;
      clearTimeout(this.#timer);
      clearTimeout(this.#pollTimer);
      this.#set("live");
    }
    this.#last = events.at(-1)?.id ?? this.#last;
    this.#host.onEvents(events);
    if (isFirst) this.#host.onCheck();
    // The handler may have stopped it.
    if (socket === this.#socket) socket.send("ack");
  }

  #closed(attempt: number, code: number): void {
    if (attempt !== this.#attempt) return;
    const wasLive = this.#state === "live";
    this.#disconnect();
    if (code === NORMAL) {
      this.#set("ended");
      return this.#host.onCheck();
    }
    if (code === TOO_LARGE) return this.#poll(undefined);
    if (this.#host.isHidden()) return this.#set("suspended");
    this.#failures = wasLive ? 1 : this.#failures + 1;
    if (this.#failures >= FAILURES_MAX && this.#state !== "polling") return this.#poll(RETRY_MS);
    this.#pause();
  }

  /** No ticket was made. */
  #refused(error: unknown): void {
    const status = error instanceof ApiError ? error.status : undefined;
    if (status === 401) return this.#set("signed out");
    // The reader of the record reports that the run is not there, or not for this caller.
    if (status === 403 || status === 404) {
      this.#set("ended");
      return this.#host.onCheck();
    }
    this.#failures++;
    // An API that does not answer would not answer anything else either.
    if (status !== undefined && this.#failures >= FAILURES_MAX && this.#state !== "polling") this.#poll(RETRY_MS);
    else this.#pause();
  }

  #pause(): void {
    const isPolling = this.#state === "polling";
    if (!isPolling) this.#set("reconnecting");
    const ms = isPolling ? RETRY_MS : Math.min(PAUSE_MS_MIN * 2 ** (this.#failures - 1), PAUSE_MS_MAX);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), ms * (0.5 + this.#host.random()));
  }

  #poll(retryMs: number | undefined): void {
    this.#set("polling");
    this.#failures = 0;
    const ask = (): void => {
      if (this.#stopped) return;
      if (!this.#host.isHidden()) this.#host.onCheck();
      this.#pollTimer = setTimeout(ask, POLL_MS);
    };
    ask();
    if (retryMs === undefined || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), retryMs);
  }

  #disconnect(): void {
    this.#attempt++;
    clearTimeout(this.#timer);
    // While it polls, an attempt to connect changes nothing until it succeeds.
    if (this.#state !== "polling" || this.#stopped) clearTimeout(this.#pollTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(NORMAL);
  }

  #isFinal(): boolean {
    return this.#state === "ended" || this.#state === "signed out";
  }

  #set(state: LiveState): void {
    if (this.#stopped || state === this.#state) return;
    this.#state = state;
    if (state !== "polling") clearTimeout(this.#pollTimer);
    this.#host.onState(state);
  }
}

/** Returns the events of a message; `undefined`: something else sent it. */
function eventsOf(data: unknown): readonly RunEvent[] | undefined {
  try {
    const { events } = JSON.parse(String(data)) as { readonly events?: unknown };
    return Array.isArray(events) ? (events as readonly RunEvent[]) : undefined;
  } catch {
    return undefined;
  }
}
