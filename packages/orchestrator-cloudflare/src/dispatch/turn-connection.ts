/**
 * One connection to a step handler, with turns as frames.
 *
 * Owns: the turns without an answer, and the end of the connection: why it ended decides how they are repeated. A frame to
 * the step handler contains a turn; a frame from it contains the number of that frame, and the answer.
 *
 * Invariants
 * - TC1 Each exchange is answered once, or rejected with `ConnectionEnded` when the connection ends.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { type FrameSocket, Frames } from "@holdfast/protocol/transport";

/** Time, for tests. */
export interface ConnectionTime {
  /** Ms since 1970. */
  readonly now: () => number;
  /** Returns a function that cancels the timer. */
  readonly setTimer: (ms: number, act: () => void) => () => void;
}

/** The connection ended before the answer. */
export class ConnectionEnded extends Error {
  /** One of the two sides ended it in an orderly way. Otherwise it broke. */
  readonly isOrderly: boolean;

  constructor(isOrderly: boolean, why: string) {
    super(why);
    this.isOrderly = isOrderly;
  }
}

/** The events of an open socket. */
export interface SocketEvents {
  readonly message: (data: unknown) => void;
  /** `isOrderly`: the other side sent a close frame. */
  readonly closed: (isOrderly: boolean) => void;
}

/** `own`: this side ended a connection that works. `silent`: no frame was ever answered. */
type ConnectionEnd = "own" | "silent" | "lost";

interface Exchange {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: ConnectionEnded) => void;
}

/** Codes of RFC 6455 with which a connection ends. */
const CODES = { done: 1000, invalid: 1002 } as const;

export class TurnConnection implements SocketEvents {
  readonly #time: ConnectionTime;
  readonly #ended: (end: ConnectionEnd) => void;
  #socket: FrameSocket | undefined;
  #frames: Frames | undefined;
  readonly #exchanges = new Map<number, Exchange>();
  #resting = false;
  /** The other side has sent a frame. */
  #isAnswered = false;
  #over = false;
  #usedAt: number;
  #stopTimer: () => void = () => {};

  /** `ended`: called once. */
  constructor(time: ConnectionTime, ended: (end: ConnectionEnd) => void) {
    this.#time = time;
    this.#ended = ended;
    this.#usedAt = time.now();
  }

  /** The upgrade is complete. */
  open(socket: FrameSocket, key: CryptoKey | undefined): void {
    if (this.#over) return close(socket, CODES.done);
    this.#socket = socket;
    this.#usedAt = this.#time.now();
    this.#frames = new Frames(socket, "orchestrator", key, {
      take: (text) => this.#take(text),
      broken: (why) => this.#end(false, `the connection to the step handler broke: ${why}`, CODES.invalid),
    });
    this.#watch(HOST_LIMITS.connectionQuietMs);
  }

  get isOpen(): boolean {
    return this.#frames !== undefined && !this.#over;
  }

  /** Sends a turn, and returns the JSON of its answer. @throws ConnectionEnded */
  exchange(turn: string): Promise<unknown> {
    this.#resting = false;
    this.#usedAt = this.#time.now();
    return new Promise((resolve, reject) => {
      const number = this.#frames?.send(turn) ?? 0;
      if (this.isOpen) this.#exchanges.set(number, { resolve, reject });
      else reject(new ConnectionEnded(false, "the connection to the step handler broke"));
    });
  }

  /** Ends the connection when all turns are answered, unless another one follows. */
  rest(): void {
    this.#resting = true;
    if (this.#exchanges.size === 0) this.close();
  }

  close(): void {
    this.#end(true, "the connection was closed", CODES.done, "own");
  }

  message(data: unknown): void {
    this.#usedAt = this.#time.now();
    this.#isAnswered = true;
    this.#frames?.receive(data);
  }

  closed(isOrderly: boolean): void {
    const why = isOrderly ? "the step handler ended the connection" : "the connection to the step handler broke";
    this.#end(isOrderly, why, CODES.done);
  }

  #take(text: string): void {
    const end = text.indexOf(" ");
    const number = Number(text.slice(0, end));
    const exchange = this.#exchanges.get(number);
    if (exchange === undefined) return this.#end(false, "an answer to no turn arrived", CODES.invalid);
    let answer: unknown;
    try {
      answer = JSON.parse(text.slice(end + 1));
    } catch {
      return this.#end(false, "an answer arrived that is not JSON", CODES.invalid);
    }
    this.#exchanges.delete(number);
    exchange.resolve(answer);
    if (this.#resting && this.#exchanges.size === 0) this.close();
  }

  /** One timer, which frames do not set again. */
  #watch(ms: number): void {
    this.#stopTimer = this.#time.setTimer(ms, () => {
      const restMs = this.#usedAt + HOST_LIMITS.connectionQuietMs - this.#time.now();
      // A clock that is set back must not keep the connection.
      if (restMs <= 0 || restMs > HOST_LIMITS.connectionQuietMs) this.#endSilent();
      else this.#watch(restMs);
    });
  }

  /** A first turn is answered soon, whatever executes: where it is not, frames do not pass. */
  #endSilent(): void {
    this.#end(true, "no frame was sent", CODES.done, this.#isAnswered ? "own" : "silent");
  }

  #end(isOrderly: boolean, why: string, code: number, end: ConnectionEnd = "lost"): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames?.end();
    this.#stopTimer();
    if (this.#socket !== undefined) close(this.#socket, code);
    this.#ended(end);
    for (const { reject } of this.#exchanges.values()) reject(new ConnectionEnded(isOrderly, why));
    this.#exchanges.clear();
  }
}

function close(socket: FrameSocket, code: number): void {
  try {
    socket.close(code, "");
  } catch {
    // It is closed.
  }
}
