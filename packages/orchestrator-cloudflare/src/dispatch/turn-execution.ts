/**
 * An execution at the other end of a pipe of requests and answers: the orchestrator's side of turns.
 *
 * Owns: the sequence of turns (one request after another while the execution is busy, none while it is parked), and
 * requests beside the turns for messages that cannot wait (CAN1).
 *
 * Invariants
 * - U1, U2 of the protocol: a request is repeated with its number until it is answered, and a report is committed once.
 */
import {
  type AbortReason,
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type LiveExecution,
  PROTOCOL_VERSION,
  type ReportAnswer,
  type StepInProgress,
  type TurnAnswer,
  type TurnRequest,
  endsRun,
  errorValue,
} from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";

/** Sends one request. Rejects with `PipeError` if there is no valid answer. */
export type PostTurn = (request: TurnRequest) => Promise<TurnAnswer>;

export class PipeError extends Error {
  /** The other side rejected the request finally: a repetition cannot succeed. */
  readonly refused: boolean;

  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

/** Delays before a request is repeated, ms. After the last one the run is dispatched again, with growing delays (DUR8). */
const REPEAT_AFTER_MS = [100, 400, 1_500];

/** `waitMs` of the first turn after a report: after this time the answer lists the steps in progress, ms. */
const FIRST_WAIT_MS = 300;
/** `waitMs` of later turns, ms. */
const WAIT_MS = 20_000;

export class TurnExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  readonly #post: PostTurn;
  readonly #session = randomHex(16);
  #turn = 0;
  #start: ExecutionStart | undefined;
  /** The newest committed report and its answer, which is sent again if the report is repeated. */
  #answered: NonNullable<TurnRequest["answer"]> | undefined;
  #answerIsNew = false;
  #updates: ExecutionUpdate[] = [];
  /** The number of updates sent so far. */
  #updatesSent = 0;
  #inProgress: readonly StepInProgress[] = [];
  /** A turn is in flight. */
  #polling = false;
  #over = false;
  #paused: boolean;
  #waitMs = FIRST_WAIT_MS;

  constructor(start: ExecutionStart, port: ExecutionPort, post: PostTurn) {
    this.#start = start;
    this.#port = port;
    this.#post = post;
    this.#paused = start.paused;
    // E1: the caller gets this object before the first report.
    queueMicrotask(() => this.#poll());
  }

  update(update: ExecutionUpdate): void {
    if (this.#over) return;
    this.#paused = update.paused ?? this.#paused;
    this.#updates.push(update);
    if (!this.#polling) this.#poll();
    // Before the first answer the other side has no session: the next turn sends the update.
    else if (this.#start === undefined) void this.#sendUpdates();
  }

  abort(reason: AbortReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#sendAside({ abort: reason });
  }

  stepsInProgress(): readonly StepInProgress[] {
    return this.#inProgress;
  }

  #poll(): void {
    if (this.#polling || this.#over) return;
    this.#polling = true;
    void this.#pollUntilIdle().finally(() => {
      this.#polling = false;
    });
  }

  async #pollUntilIdle(): Promise<void> {
    try {
      while (!this.#over) {
        const answer = await this.#postWithRepeats(this.#next());
        if (this.#over) return;
        this.#start = undefined;
        if (!this.#take(answer) && this.#updates.length === 0) return;
      }
    } catch (error) {
      this.#lose(toLoss(error));
    }
  }

  #next(): TurnRequest {
    this.#turn += 1;
    const answer = this.#answerIsNew ? this.#answered : undefined;
    this.#answerIsNew = false;
    return {
      protocol: PROTOCOL_VERSION,
      session: this.#session,
      turn: this.#turn,
      waitMs: this.#waitMs,
      ...(this.#start === undefined ? {} : { start: this.#start }),
      ...(answer === undefined ? {} : { answer }),
      ...this.#takeUpdates(),
    };
  }

  /** Returns the updates to send, with a number: requests may overtake each other (U3). */
  #takeUpdates(): Pick<TurnRequest, "updates" | "updatesBefore"> {
    const updates = this.#updates.splice(0);
    if (updates.length === 0) return {};
    const updatesBefore = this.#updatesSent;
    this.#updatesSent += updates.length;
    return { updates, updatesBefore };
  }

  async #postWithRepeats(request: TurnRequest): Promise<TurnAnswer> {
    for (const pauseMs of REPEAT_AFTER_MS) {
      try {
        return await this.#post(request);
      } catch (error) {
        if (this.#over || !(error instanceof PipeError) || error.refused) throw error;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, pauseMs);
      });
    }
    return this.#post(request);
  }

  /** Returns whether another turn must follow. */
  #take(answer: TurnAnswer): boolean {
    switch (answer.type) {
      case "report":
        this.#waitMs = FIRST_WAIT_MS;
        this.#inProgress = answer.inProgress;
        return this.#takeReport(answer.number, answer.report);
      case "busy":
        this.#waitMs = WAIT_MS;
        this.#inProgress = answer.inProgress;
        // A paused run starts no new bodies: if none is in progress, no report can follow.
        return !this.#paused || answer.inProgress.length > 0;
      case "idle":
        this.#inProgress = [];
        return false;
      case "lost":
        this.#lose(answer.error);
        return false;
      case "unknown_session":
        this.#lose(errorValue("SESSION_LOST", "The step handler no longer holds this execution."));
        return false;
    }
  }

  #takeReport(number: number, report: ExecutionReport): boolean {
    this.#answerIsNew = true;
    if (this.#answered?.report === number) return true;
    const answer = this.#port.report({ ...report, remote: true }) as ReportAnswer;
    this.#answered = { report: number, answer };
    if (!answer.accepted || endsRun(report.events.at(-1))) {
      this.#over = true;
      this.#sendAside({ answer: this.#answered });
      return false;
    }
    // Parked: the next turn carries the answer together with the update that wakes the execution.
    return answer.parked !== true;
  }

  /** Sends updates beside the turn in flight. If they cannot be delivered, the execution is lost. */
  async #sendUpdates(): Promise<void> {
    const request = { ...this.#aside(), ...this.#takeUpdates() };
    try {
      const answer = await this.#postWithRepeats(request);
      if (answer.type === "unknown_session") this.#take(answer);
    } catch (error) {
      this.#lose(toLoss(error));
    }
  }

  #aside(): TurnRequest {
    return { protocol: PROTOCOL_VERSION, session: this.#session, turn: this.#turn + 1, aside: true };
  }

  /** Sends a message beside the turns, without repetition: its loss has no effect on the run. */
  #sendAside(content: Pick<TurnRequest, "abort" | "answer">): void {
    void this.#post({ ...this.#aside(), ...content }).catch(() => {});
  }

  #lose(error: ErrorValue): void {
    if (this.#over) return;
    this.#over = true;
    this.#port.lost(error);
  }
}

function toLoss(error: unknown): ErrorValue {
  const message = error instanceof Error ? error.message : String(error);
  return errorValue(error instanceof PipeError && error.refused ? "DISPATCH_REFUSED" : "DISPATCH_FAILED", message);
}
