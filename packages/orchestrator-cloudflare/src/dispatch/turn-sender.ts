/**
 * The requests of one execution to its step handler, and their repetition.
 *
 * Owns: the instance of the handler that holds the execution, the delays between repetitions, and the decision that the
 * execution is lost (DUR11).
 *
 * Invariants
 * - TS1 Once an instance holds the execution, a request is repeated until that instance answers, for 40 s at most. Only a
 *   proof that its process is gone ends this earlier: a younger instance answers, after a connection to it broke.
 */
import { type ErrorValue, HOST_LIMITS, type TurnAnswer, type TurnRequest, errorValue } from "@holdfast/protocol";
import { CutConnection, NotAdmitted, PipeError } from "./pipe-error.ts";
import type { PostTurn } from "./turn-carrier.ts";

/** The execution is lost. */
export interface Loss {
  readonly type: "loss";
  readonly error: ErrorValue;
}

/** Delays before the first turn is repeated, ms. After the last one the run is dispatched again, with growing delays (DUR8). */
const FIRST_TURN_REPEATS_MS = [100, 400, 1_500];

/** The first and the longest delay before a later request is repeated, ms. */
const REPEAT_MS_MIN = 100;
const REPEAT_MS_MAX = 5_000;

/** Time, for tests. */
export interface SenderTime {
  /** Ms since 1970. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const REAL_TIME: SenderTime = {
  now: () => Date.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface SenderHost {
  /** Whether the execution is over, so that repetitions are pointless. */
  readonly isOver: () => boolean;
  /** Whether bodies executed when the execution last answered. */
  readonly isExecuting: () => boolean;
}

type WrongInstance = TurnAnswer & { readonly type: "wrong_instance" };

export class TurnSender {
  readonly #post: PostTurn;
  readonly #host: SenderHost;
  readonly #time: SenderTime;
  /** When the execution first answered. */
  #reachedAt: number | undefined;
  /** The instance that holds the execution. Handlers of earlier versions do not name it. */
  #instance: string | undefined;
  /** A request has failed since the execution last answered. */
  #broken = false;
  /** Another instance has answered since. */
  #misrouted = false;
  #onSigns: (() => void)[] = [];

  constructor(post: PostTurn, host: SenderHost, time: SenderTime = REAL_TIME) {
    this.#post = post;
    this.#host = host;
    this.#time = time;
  }

  /** Calls `answered` at the next sign of life. */
  onSign(answered: () => void): void {
    this.#onSigns.push(answered);
    // This class bounds the time in which another instance answers, and names both in the error.
    if (this.#misrouted) this.#sign();
  }

  /** Sends a request until it is answered or the execution is lost. `last`: the execution is over, nobody waits for it. */
  async send(request: TurnRequest, last = false): Promise<TurnAnswer | Loss> {
    let sentAt = this.#time.now();
    for (let repeats = 0, waitedMs = 0; ;) {
      const failure = await this.#try(request);
      if (!(failure instanceof PipeError) && failure.type !== "wrong_instance") return this.#taken(failure);
      // The repetition goes another way: it need not wait.
      const isCut = failure instanceof CutConnection;
      const pauseMs = isCut ? 0 : this.#pauseMs(repeats, waitedMs);
      const isFinal = failure instanceof PipeError && (failure.isFinal || (last && !isCut));
      const isOver = !last && this.#host.isOver();
      if (isFinal || isOver || pauseMs === undefined || this.#isReplacedBy(failure)) return this.#lossOf(failure);
      if (!isCut) {
        repeats += 1;
        waitedMs += pauseMs;
        await this.#time.pause(pauseMs);
      }
      // The code cannot have ended a process that has not begun the execution.
      if (failure instanceof NotAdmitted) sentAt = this.#time.now();
      else if (this.#reachedAt === undefined && (await this.#hasRestarted(request, sentAt))) return RESTARTED;
      // An abort may have been sent during the pause: a start that follows it would execute.
      if (!last && this.#host.isOver()) return this.#lossOf(failure);
    }
  }

  /**
   * Whether the process of the handler has started after the first turn was sent, which failed: its code may have ended
   * the process before it could answer.
   */
  async #hasRestarted({ protocol, session, turn }: TurnRequest, sentAt: number): Promise<boolean> {
    const answer = await this.#try({ protocol, session, turn, aside: true });
    if (answer instanceof PipeError || answer.type === "wrong_instance") return false;
    if (answer.type === "unknown_session") return answer.upMs !== undefined && answer.upMs < this.#time.now() - sentAt;
    // The execution began there, and only the answer was lost: at another instance it would begin again.
    this.#taken(answer);
    return false;
  }

  async #try(request: TurnRequest): Promise<TurnAnswer | PipeError> {
    const named = this.#instance === undefined ? request : { ...request, instance: this.#instance };
    try {
      const answer = await this.#post(named, () => this.#sign());
      this.#misrouted = answer.type === "wrong_instance";
      return answer;
    } catch (error) {
      this.#broken = true;
      return error instanceof PipeError ? error : new PipeError(String(error));
    }
  }

  /** Handles an answer of the instance that holds the execution. */
  #taken(answer: TurnAnswer): TurnAnswer | Loss {
    const wasBroken = this.#broken;
    this.#broken = false;
    if (answer.type === "unknown_session") {
      // A handler of an earlier version does not say whether its process is another one.
      const died = answer.instance === undefined && wasBroken;
      const code = died ? "EXECUTOR_CRASHED" : "SESSION_LOST";
      return { type: "loss", error: errorValue(code, "The step handler no longer holds this execution.") };
    }
    this.#reachedAt ??= this.#time.now();
    this.#instance ??= answer.instance;
    this.#sign();
    return answer;
  }

  #sign(): void {
    for (const answered of this.#onSigns.splice(0)) answered();
  }

  /** Returns the delay before the next repetition; `undefined`: no further one follows. */
  #pauseMs(repeats: number, waitedMs: number): number | undefined {
    if (this.#reachedAt === undefined) return FIRST_TURN_REPEATS_MS[repeats];
    const pauseMs = Math.min(REPEAT_MS_MIN * 2 ** repeats, REPEAT_MS_MAX);
    return waitedMs + pauseMs > HOST_LIMITS.silentMsMax ? undefined : pauseMs;
  }

  /** Whether the process with the execution is gone, or only an idle execution may be lost. */
  #isReplacedBy(failure: PipeError | WrongInstance): boolean {
    if (failure instanceof PipeError || this.#reachedAt === undefined) return false;
    const isYounger = failure.upMs < this.#time.now() - this.#reachedAt;
    return isYounger && (this.#broken || !this.#host.isExecuting());
  }

  #lossOf(failure: PipeError | WrongInstance): Loss {
    if (failure instanceof PipeError) {
      return { type: "loss", error: errorValue(failure.code, failure.message) };
    }
    const both = `The instance ${this.#instance} of the step handler holds this execution, and the instance ${failure.mine} answers`;
    if (!this.#isReplacedBy(failure)) {
      return {
        type: "loss",
        error: errorValue(
          "STICKY_ROUTING_REQUIRED",
          `${both}. All requests of an execution must reach one instance: route them by the header Holdfast-Session, or run one instance. Then retry the run.`,
        ),
      };
    }
    return {
      type: "loss",
      error: errorValue(this.#broken ? "EXECUTOR_CRASHED" : "SESSION_LOST", `${both}, which started later.`),
    };
  }
}

const RESTARTED: Loss = {
  type: "loss",
  error: errorValue(
    "EXECUTOR_CRASHED",
    "The process of the step handler ended during the first turn of the execution.",
  ),
};
