/**
 * Connections of an orchestrator to this step handler: turns as frames, where a host can upgrade a request to a WebSocket.
 *
 * Owns: the boundary to the host's socket (`ConnectionSocket`, `HostConnection`), the number of connections, and their end.
 * A frame contains the same message as the body of a request, and `TurnServer` answers both in the same way. Whatever is
 * no answer to a turn ends the connection: the orchestrator repeats its turn as a request, and gets the refusal there.
 *
 * Invariants
 * - C1 The end of a connection changes no session. Its requests without an answer are answered when they are repeated.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { type FrameSocket, Frames, fitsFrame } from "@holdfast/protocol/transport";
import type { Platform } from "../replay/platform.ts";
import { parseTurn } from "./turn-request.ts";
import type { TurnServer } from "./turn-server.ts";

/** The socket of a host, after the upgrade: what a connection calls. */
export type ConnectionSocket = FrameSocket;

/** A connection: what a host calls for each event of its socket. */
export interface HostConnection {
  /** A message has arrived. Text, unless the other side is no orchestrator. */
  onMessage(message: unknown): void;
  /** The socket has closed, or has failed. May be called several times. */
  onClose(): void;
}

/** Begins to use a socket. The host calls it once, when the upgrade is complete. */
export type AcceptConnection = (socket: ConnectionSocket) => HostConnection;

/** Codes of RFC 6455 with which a connection ends. */
const CODES = { goingAway: 1001, invalid: 1002, tooLarge: 1009, failed: 1011 } as const;

export class Connections {
  readonly #server: TurnServer;
  readonly #platform: Platform;
  readonly #max: number;
  readonly #open = new Set<Connection>();
  #draining = false;

  constructor(server: TurnServer, platform: Platform, max: number) {
    this.#server = server;
    this.#platform = platform;
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#draining || this.#open.size >= this.#max;
  }

  accept(socket: ConnectionSocket, key: CryptoKey | undefined): HostConnection {
    const connection: Connection = new Connection(socket, key, this.#server, this.#platform, () =>
      this.#open.delete(connection),
    );
    // It became full, or the drain began, while the host upgraded.
    if (this.isFull) connection.drain();
    else this.#open.add(connection);
    return connection;
  }

  /** Ends each connection when its turns are answered, and refuses further ones. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#open) connection.drain();
  }
}

class Connection implements HostConnection {
  readonly #socket: ConnectionSocket;
  readonly #frames: Frames;
  readonly #server: TurnServer;
  readonly #platform: Platform;
  readonly #ended: () => void;
  /** Turns without an answer. */
  #unanswered = 0;
  #draining = false;
  #over = false;
  #usedAt: number;
  #stopTimer: () => void = () => {};

  constructor(
    socket: ConnectionSocket,
    key: CryptoKey | undefined,
    server: TurnServer,
    platform: Platform,
    ended: () => void,
  ) {
    this.#socket = socket;
    this.#server = server;
    this.#platform = platform;
    this.#ended = ended;
    this.#usedAt = platform.now();
    this.#frames = new Frames(socket, "execution", key, {
      take: (text, number) => void this.#take(text, number),
      broken: (why) => this.#end(CODES.invalid, why),
    });
    this.#watch(QUIET_MS);
  }

  onMessage(message: unknown): void {
    this.#usedAt = this.#platform.now();
    this.#frames.receive(message);
  }

  onClose(): void {
    this.#end();
  }

  drain(): void {
    this.#draining = true;
    if (this.#unanswered === 0) this.#end(CODES.goingAway, "the step handler ends");
  }

  async #take(text: string, number: number): Promise<void> {
    try {
      const request = parseTurn(text);
      if (typeof request === "string") return this.#end(CODES.invalid, "invalid turn");
      this.#unanswered += 1;
      const reply = await this.#server.turn(request, text.length);
      if (reply.type !== "answer") return this.#end(CODES.failed, "no answer");
      this.#unanswered -= 1;
      this.#answer(`${number} ${JSON.stringify(reply.answer)}`);
    } catch (error) {
      // A rejection that nothing handles ends the process, with the executions of all runs.
      console.error("holdfast: a turn over a connection failed; the orchestrator repeats it as a request", error);
      this.#end(CODES.failed, "no answer");
    }
  }

  #answer(text: string): void {
    if (this.#over) return;
    if (!fitsFrame(text)) return this.#end(CODES.tooLarge, "the answer is too large for a frame");
    this.#usedAt = this.#platform.now();
    this.#frames.send(text);
    if (this.#draining) this.drain();
  }

  /** Ends a connection whose other side is gone without a word. One timer, which frames do not set again. */
  #watch(ms: number): void {
    this.#stopTimer = this.#platform.setTimer(ms, () => {
      const restMs = this.#usedAt + QUIET_MS - this.#platform.now();
      // A clock that is set back must not keep the connection.
      if (restMs <= 0 || restMs > QUIET_MS) this.#end(CODES.goingAway, "no frame arrived");
      else this.#watch(restMs);
    });
  }

  #end(code?: number, reason = ""): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames.end();
    this.#stopTimer();
    this.#ended();
    if (code === undefined) return;
    try {
      this.#socket.close(code, reason.slice(0, REASON_CHARS_MAX));
    } catch {
      // It is closed.
    }
  }
}

/** The orchestrator ends a quiet connection earlier. */
const QUIET_MS = 2 * HOST_LIMITS.connectionQuietMs;

/** A reason has at most 123 bytes. */
const REASON_CHARS_MAX = 40;
