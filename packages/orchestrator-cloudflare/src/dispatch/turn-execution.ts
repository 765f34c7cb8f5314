/**
 * An execution at the other end of a pipe of requests and answers: the orchestrator's side of turns.
 *
 * Owns: one request after the other for as long as the execution is busy, none while it is parked, and news that cannot
 * wait for its turn (CAN1).
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

/** Sends one request. Rejects with `PipeError` if there is no answer that makes sense. */
export type PostTurn = (request: TurnRequest) => Promise<TurnAnswer>;

export class PipeError extends Error {
  /** The other side understood and declined: to ask again would not help. */
  readonly refused: boolean;

  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

/** Pauses before a request is repeated. When they are used up the run is dispatched anew, with growing delays (DUR8). */
const REPEAT_AFTER_MS = [100, 400, 1_500];

/** How long the first answer to a turn may take, before what executes is told. */
const FIRST_WAIT_MS = 300;
const WAIT_MS = 20_000;

export class TurnExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  readonly #post: PostTurn;
  readonly #session = randomHex(16);
  #turn = 0;
  #start: ExecutionStart | undefined;
  /** The newest report that was committed, and its answer: said again if that did not arrive. */
  #answered: NonNullable<TurnRequest["answer"]> | undefined;
  #answerIsNew = false;
  #updates: ExecutionUpdate[] = [];
  #updatesTold = 0;
  #inProgress: readonly StepInProgress[] = [];
  /** A request waits at the other side for something to say. */
  #asking = false;
  #over = false;
  #paused: boolean;
  #waitMs = FIRST_WAIT_MS;

  constructor(start: ExecutionStart, port: ExecutionPort, post: PostTurn) {
    this.#start = start;
    this.#port = port;
    this.#post = post;
    this.#paused = start.paused;
    // E1: the caller gets this object before anything is said.
    queueMicrotask(() => this.#ask());
  }

  update(update: ExecutionUpdate): void {
    if (this.#over) return;
    this.#paused = update.paused ?? this.#paused;
    this.#updates.push(update);
    if (!this.#asking) this.#ask();
    // Before the first answer there is no session that could be told.
    else if (this.#start === undefined) void this.#tellNews();
  }

  abort(reason: AbortReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#tell({ abort: reason });
  }

  stepsInProgress(): readonly StepInProgress[] {
    return this.#inProgress;
  }

  #ask(): void {
    if (this.#asking || this.#over) return;
    this.#asking = true;
    void this.#askUntilIdle().finally(() => {
      this.#asking = false;
    });
  }

  async #askUntilIdle(): Promise<void> {
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

  /** What is to be told, numbered: requests may overtake each other (U3). */
  #takeUpdates(): Pick<TurnRequest, "updates" | "updatesBefore"> {
    const updates = this.#updates.splice(0);
    if (updates.length === 0) return {};
    const updatesBefore = this.#updatesTold;
    this.#updatesTold += updates.length;
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

  /** True: there is more to come. */
  #take(answer: TurnAnswer): boolean {
    switch (answer.type) {
      case "report":
        this.#waitMs = FIRST_WAIT_MS;
        this.#inProgress = answer.inProgress;
        return this.#takeReport(answer.number, answer.report);
      case "busy":
        this.#waitMs = WAIT_MS;
        this.#inProgress = answer.inProgress;
        // While an operator has paused the run, nothing new begins: what is not executing now says nothing.
        return !this.#paused || answer.inProgress.length > 0;
      case "idle":
        this.#inProgress = [];
        return false;
      case "lost":
        this.#lose(answer.error);
        return false;
      case "unknown_session":
        this.#lose(errorValue("SESSION_LOST", "The step handler does not hold this execution any more."));
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
      this.#tell({ answer: this.#answered });
      return false;
    }
    // Parked: the answer goes with the news that wakes it.
    return answer.parked !== true;
  }

  /** News for an execution that has a request waiting: it goes beside that. It must arrive, or another execution begins. */
  async #tellNews(): Promise<void> {
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

  /** Something that does not wait for its turn, and does no harm if it does not arrive. */
  #tell(what: Pick<TurnRequest, "abort" | "answer">): void {
    void this.#post({ ...this.#aside(), ...what }).catch(() => {});
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
