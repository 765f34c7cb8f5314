/**
 * An execution at the other end of a pipe of requests and answers: the orchestrator's side of turns.
 *
 * Owns: the sequence of turns (one request after another while the execution is busy, none while it is parked), and
 * requests beside the turns for messages that cannot wait (CAN1). `TurnSender` repeats requests.
 *
 * Invariants
 * - U1, U2 of the protocol: a request is repeated with its number until it is answered, and a report is committed once.
 */
import {
  type AbortReason,
  type Bodies,
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type JournalEntry,
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
import { BodiesInProgress } from "./bodies-in-progress.ts";
import type { TurnCarrier } from "./turn-carrier.ts";
import { type SenderTime, TurnSender } from "./turn-sender.ts";

/** `waitMs` of the first turn after a report: after this time the answer lists the steps in progress, ms. */
const FIRST_WAIT_MS = 300;
/** `waitMs` of later turns, ms. */
const WAIT_MS = 20_000;

export class TurnExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  readonly #carrier: TurnCarrier;
  readonly #sender: TurnSender;
  readonly #session = randomHex(16);
  #turn = 0;
  #start: ExecutionStart | undefined;
  /** The newest committed report and its answer, which is sent again if the report is repeated. */
  #answered: NonNullable<TurnRequest["answer"]> | undefined;
  #answerIsNew = false;
  /** The page that the next turn carries. */
  #page: TurnRequest["page"];
  #updates: ExecutionUpdate[] = [];
  /** The number of updates sent so far. */
  #updatesSent = 0;
  readonly #bodies = new BodiesInProgress();
  /** A turn is in flight. */
  #polling = false;
  #over = false;
  #paused: boolean;
  #waitMs = FIRST_WAIT_MS;

  constructor(start: ExecutionStart, port: ExecutionPort, carrier: TurnCarrier, time?: SenderTime) {
    this.#start = start;
    this.#port = port;
    const host = { isOver: () => this.#over, isExecuting: () => this.#bodies.count > 0 };
    this.#carrier = carrier;
    this.#sender = new TurnSender((request, alive) => carrier.post(request, alive), host, time);
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
    else if (this.#start === undefined) void this.#sendAside(this.#takeUpdates());
  }

  abort(reason: AbortReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#sendLast({ abort: reason });
  }

  stepsInProgress(): readonly StepInProgress[] {
    return this.#bodies.list;
  }

  /** A turn in flight is answered while the execution lives. Without one, a request beside the turns asks. */
  ping(answered: () => void): void {
    if (this.#over) return;
    this.#sender.onSign(answered);
    // Before the first turn the other side has no session: the turn, which follows at once, is the ping.
    if (!this.#polling && this.#start === undefined) void this.#sendAside({});
  }

  #poll(): void {
    if (this.#polling || this.#over) return;
    this.#polling = true;
    void this.#pollUntilIdle()
      .catch((error: unknown) => this.#lose(errorValue("DISPATCH_FAILED", String(error))))
      .finally(() => {
        this.#polling = false;
        this.#carrier.rest?.();
      });
  }

  async #pollUntilIdle(): Promise<void> {
    while (!this.#over) {
      const result = await this.#sender.send(this.#next());
      if (this.#over) return;
      if (result.type === "loss") return this.#lose(result.error);
      this.#start = undefined;
      const continues = this.#take(result);
      if (result.stateless === true) return this.#lose(STATELESS);
      if (!continues && this.#updates.length === 0) return;
    }
  }

  #next(): TurnRequest {
    this.#turn += 1;
    const answer = this.#answerIsNew ? this.#answered : undefined;
    this.#answerIsNew = false;
    const page = this.#page;
    this.#page = undefined;
    return {
      protocol: PROTOCOL_VERSION,
      session: this.#session,
      turn: this.#turn,
      waitMs: this.#waitMs,
      ...(this.#bodies.complete ? { changes: true } : {}),
      ...(this.#start === undefined ? {} : { start: this.#start }),
      ...(answer === undefined ? {} : { answer }),
      ...(page === undefined ? {} : { page }),
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

  /** Returns whether another turn must follow. */
  #take(answer: TurnAnswer): boolean {
    switch (answer.type) {
      case "report":
        this.#waitMs = FIRST_WAIT_MS;
        return this.#takeReport(answer);
      case "page":
        // A cast: the orchestrator reads its own journal synchronously.
        this.#page = { after: answer.after, entries: (this.#port.readPage?.(answer.after) ?? []) as JournalEntry[] };
        return true;
      case "busy":
        this.#waitMs = WAIT_MS;
        this.#show(answer);
        // A paused run starts no new bodies: if none is in progress, no report can follow.
        return !this.#paused || this.#bodies.count > 0;
      case "idle":
        this.#bodies.clear();
        return false;
      case "lost":
        this.#lose(answer.error);
        return false;
      case "unknown_session":
      case "wrong_instance":
        // `TurnSender` turns these into a loss.
        return false;
    }
  }

  #show(bodies: Bodies, report?: ExecutionReport): void {
    if (this.#bodies.apply(bodies, report)) this.#port.progressed?.();
  }

  /** The port checks the report: nothing here reads it before (SEC10). */
  #takeReport({ number, report, ...bodies }: Extract<TurnAnswer, { type: "report" }>): boolean {
    this.#answerIsNew = true;
    if (this.#answered?.report === number) {
      this.#show(bodies);
      return true;
    }
    const answer = this.#port.report({ ...report, remote: true }) as ReportAnswer;
    this.#answered = { report: number, answer };
    if (!answer.accepted || endsRun(report.events.at(-1))) {
      this.#over = true;
      this.#sendLast({ answer: this.#answered });
      return false;
    }
    this.#show(bodies, report);
    // Parked: the next turn carries the answer together with the update that wakes the execution.
    return answer.parked !== true;
  }

  /** Sends a request beside the turn in flight. If it cannot be delivered, the execution is lost. */
  async #sendAside(content: Pick<TurnRequest, "updates" | "updatesBefore">): Promise<void> {
    const result = await this.#sender.send({ ...this.#aside(), ...content });
    if (result.type === "loss") this.#lose(result.error);
    // The execution has something to say, and no turn fetches it.
    else if (result.type !== "idle") this.#poll();
  }

  #aside(): TurnRequest {
    return { protocol: PROTOCOL_VERSION, session: this.#session, turn: this.#turn + 1, aside: true };
  }

  /** Sends the last message. Its loss has no effect on the run. */
  #sendLast(content: Pick<TurnRequest, "abort" | "answer">): void {
    void this.#sender.send({ ...this.#aside(), ...content }, true);
  }

  #lose(error: ErrorValue): void {
    if (this.#over) return;
    this.#over = true;
    this.#port.lost(error);
  }
}

const STATELESS = errorValue("SESSION_LOST", "The step handler holds no executions between turns.");
