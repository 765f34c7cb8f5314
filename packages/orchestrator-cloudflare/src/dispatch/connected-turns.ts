/**
 * The turns of one execution, over a connection while it is busy, otherwise as requests.
 *
 * Owns: the choice for each turn. A new turn opens the connection if there is none and the execution stays busy; a turn
 * that is repeated, and each turn of a step handler without connections, is a request. So what a connection cannot carry, or loses, needs no handling of
 * its own: it is a turn that is repeated (U1).
 */
import { HOST_LIMITS, type TurnAnswer, type TurnRequest } from "@holdfast/protocol";
import { type FrameSocket, fitsFrame } from "@holdfast/protocol/transport";
import { checkAnswer } from "./checked-answers.ts";
import type { Connections, Slot } from "./connections.ts";
import { CutConnection, PipeError } from "./pipe-error.ts";
import type { PostTurn, TurnCarrier } from "./turn-carrier.ts";
import { ConnectionEnded, type ConnectionTime, type SocketEvents, TurnConnection } from "./turn-connection.ts";

/** The other end accepted the upgrade, or answered with something else. */
export type Opened = { readonly socket: FrameSocket; readonly key: CryptoKey | undefined } | "refused";

/** Opens a connection for a session. Rejects if nothing answered. */
export type OpenConnection = (session: string, events: SocketEvents, signal: AbortSignal) => Promise<Opened>;

export interface ConnectionOptions {
  readonly open: OpenConnection;
  readonly connections: Connections;
  readonly url: string;
  /** Connections of this isolate. */
  readonly max: number;
  /** The turns of a busy period that are requests before a connection opens. An upgrade costs about as much as one. */
  readonly after: number;
  /** The name of the other side in messages. */
  readonly name: string;
  readonly time?: ConnectionTime | undefined;
}

const REAL_TIME: ConnectionTime = {
  now: () => Date.now(),
  setTimer(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

export class ConnectedTurns implements TurnCarrier {
  readonly #request: PostTurn;
  readonly #options: ConnectionOptions;
  readonly #time: ConnectionTime;
  #connection: TurnConnection | undefined;
  #slot: Slot | undefined;
  #newestTurn = 0;
  /** New turns since the execution was last parked. */
  #busyTurns = 0;
  /** Connections that ended early. */
  #losses = 0;
  /** The execution was aborted: no turn may start it. */
  #aborted = false;

  /** `request`: sends a turn as a request. */
  constructor(request: PostTurn, options: ConnectionOptions) {
    this.#request = request;
    this.#options = options;
    this.#time = options.time ?? REAL_TIME;
  }

  readonly post: PostTurn = async (request, alive) => {
    this.#aborted ||= request.abort !== undefined;
    const isNew = request.aside !== true && request.turn > this.#newestTurn;
    if (isNew) {
      this.#newestTurn = request.turn;
      this.#busyTurns += 1;
      if (this.#connection === undefined && this.#busyTurns > this.#options.after) await this.#open(request.session);
      // The abort was sent while the upgrade took its time.
      if (this.#aborted) this.rest();
    }
    this.#checkAlive(request);
    const connection = isNew || request.aside === true ? this.#connection : undefined;
    const text = connection?.isOpen === true ? JSON.stringify(request) : "";
    if (connection?.isOpen !== true || !fitsFrame(text)) return this.#request(request, alive);
    return this.#exchange(connection, text, request, alive);
  };

  rest(): void {
    this.#busyTurns = 0;
    this.#connection?.rest();
  }

  async #exchange(
    connection: TurnConnection,
    text: string,
    request: TurnRequest,
    alive: () => void,
  ): Promise<TurnAnswer> {
    const sentAt = this.#time.now();
    if (this.#slot !== undefined) this.#slot.usedAt = sentAt;
    try {
      const answer = checkAnswer(await connection.exchange(text), request.session, this.#options.name);
      // The upgrade has reached another instance of the step handler.
      if (answer.type === "wrong_instance") this.#lose(connection);
      return answer;
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error;
      if (!error.isOrderly) throw new CutConnection(`${this.#options.name}: ${error.message}`);
      this.#checkAlive(request);
      // The answer was due before the connection became quiet: its frame, or that of the turn, was lost.
      const isDue = (request.waitMs ?? 0) < HOST_LIMITS.connectionQuietMs;
      if (isDue && this.#time.now() - sentAt >= HOST_LIMITS.connectionQuietMs) this.#losses += 1;
      return this.#request(request, alive);
    }
  }

  /** A start that follows the abort would execute. */
  #checkAlive({ abort }: TurnRequest): void {
    if (this.#aborted && abort === undefined) throw new PipeError("The execution is over.");
  }

  #lose(connection: TurnConnection): void {
    this.#losses += 1;
    connection.close();
  }

  /** Opens a connection if there may be one. */
  async #open(session: string): Promise<void> {
    const { open, connections, url, max } = this.#options;
    if (this.#losses >= HOST_LIMITS.connectionLosses) return;
    const slot = connections.take(url, max, this.#time.now());
    if (slot === undefined) return;
    const connection: TurnConnection = new TurnConnection(this.#time, (end) => {
      connections.release(slot);
      if (end !== "own") this.#losses += 1;
      // Frames do not pass, whatever accepted the upgrade.
      if (end === "silent") connections.refused(url, this.#time.now());
      if (this.#connection === connection) this.#connection = undefined;
    });
    const controller = new AbortController();
    const opened = open(session, connection, controller.signal);
    const result = await this.#within(opened);
    if (result === "refused" || result === "silent") {
      connections.refused(url, this.#time.now());
      controller.abort();
    }
    if (typeof result === "string") {
      this.#losses += 1;
      // One that opens late is closed at once.
      connection.close();
      opened.then((late) => late !== "refused" && connection.open(late.socket, late.key)).catch(() => {});
      return;
    }
    connection.open(result.socket, result.key);
    // The other side may have ended it already.
    if (!connection.isOpen) return;
    this.#connection = connection;
    this.#slot = slot;
  }

  /** `failed`: nothing answers at this address now, which says nothing about later upgrades. */
  async #within(opened: Promise<Opened>): Promise<Opened | "silent" | "failed"> {
    const { promise: silent, resolve } = Promise.withResolvers<"silent">();
    const stop = this.#time.setTimer(HOST_LIMITS.connectMs, () => resolve("silent"));
    const result = await Promise.race([opened.catch(() => "failed" as const), silent]);
    stop();
    return result;
  }
}
