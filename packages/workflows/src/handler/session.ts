/**
 * One execution that a step handler holds between turns.
 *
 * Owns: the execution's unanswered report (U2), and the decision whether the execution continues without a message.
 */
import {
  type Bodies,
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type JournalEntry,
  type LiveExecution,
  type ReportAnswer,
  type TurnContent,
  type TurnRequest,
  endsRun,
  errorValue,
} from "@holdfast/protocol";
import type { Platform } from "../replay/platform.ts";
import { Announcer } from "./announcer.ts";
import { BodyChanges } from "./body-changes.ts";
import { completed, withReported } from "./reported-values.ts";

/** A report that waits for its answer. */
interface Outgoing {
  readonly number: number;
  readonly report: ExecutionReport;
  readonly resolve: (answer: ReportAnswer) => void;
  /** An answer to the orchestrator has contained it. */
  sent: boolean;
}

/** The time in which an answer leaves the process, ms. */
const ANNOUNCED_MS = 50;

/** Events that the journal must contain before the body starts, in the same execution (DUR3, STR1). */
const NEEDS_SESSION: ReadonlySet<string> = new Set(["step.started", "stream.started"]);

const SESSION_NEEDED = errorValue(
  "DISPATCH_REFUSED",
  "A step with once: true, or a stream, needs a step handler with sessions, and this one has none (stateless). Serve the workflow where an execution can outlive a request, or over a service binding; then retry the run.",
);

export class Session {
  #live: LiveExecution | undefined;
  #turn = 0;
  #reports = 0;
  #outgoing: Outgoing | undefined;
  /** The page that the execution waits for. */
  #page: { readonly after: number; readonly resolve: (page: readonly JournalEntry[]) => void } | undefined;
  /** The number of updates that the execution received. */
  #updates = 0;
  /** Updates that arrived before their predecessors, by number. */
  readonly #early = new Map<number, ExecutionUpdate>();
  #lost: ErrorValue | undefined;
  /** The last message to the execution was that it is parked. */
  #parked = false;
  /** The handler no longer holds this session: held requests are answered so. */
  #dropped = false;
  /** The end of the execution was accepted, or the execution was aborted. */
  over = false;
  #usedAt: number;
  /** Ends the wait of each request that waits for a message of the execution. */
  readonly #waiting = new Set<() => void>();
  /** The execution has progress that no answer has contained (STEP8). */
  #progressed = false;

  readonly #bodies = new BodyChanges();
  /** The newest turn asked for changes of the list of bodies. */
  #changes = false;
  readonly #oneTurn: boolean;
  readonly #version: string | undefined;
  readonly announcer: Announcer;
  readonly #platform: Platform;
  /** The port through which the execution reports. */
  readonly port: ExecutionPort;

  /**
   * `oneTurn`: the session ends with its first answer, which contains the outcomes of all bodies. `version`: the one that the
   * run keeps.
   */
  constructor(
    platform: Platform,
    oneTurn = false,
    start: Pick<ExecutionStart, "announcesBodies"> = {},
    version?: string,
  ) {
    this.#platform = platform;
    this.#usedAt = platform.now();
    this.#oneTurn = oneTurn;
    this.#version = version;
    this.announcer = new Announcer(oneTurn ? {} : start, () => this.#announceBodies());
    // A request for a page would end a session of one turn.
    this.port = { ...this.#createPort(), ...(oneTurn ? {} : { readPage: (after) => this.#readPage(after) }) };
  }

  #createPort(): ExecutionPort {
    return {
      oneReport: this.#oneTurn,
      defersReports: () => this.#oneTurn && this.#inProgress().length > 0,
      remote: true,
      report: (given) =>
        new Promise((resolve) => {
          const report = completed(given, this.#version);
          this.#reports += 1;
          this.announcer.reported(report);
          const answered = (answer: ReportAnswer): void => resolve(withReported(report, answer));
          this.#outgoing = { number: this.#reports, report, resolve: answered, sent: false };
          this.#wakeAll();
        }),
      lost: (error) => {
        this.#lost = error;
        this.#wakeAll();
      },
      progressed: () => {
        // An answer with progress only would end the session.
        if (this.#oneTurn) return;
        this.#progressed = true;
        this.#wakeAll();
      },
    };
  }

  #readPage(after: number): Promise<readonly JournalEntry[]> {
    return new Promise((resolve) => {
      this.#page = { after, resolve };
      this.#wakeAll();
    });
  }

  /** Answers the turn in flight with the bodies that are about to be called. */
  async #announceBodies(): Promise<void> {
    this.#progressed = true;
    this.#wakeAll();
    await new Promise<void>((resolve) => this.#platform.setTimer(ANNOUNCED_MS, resolve));
  }

  begin(live: LiveExecution): void {
    this.#live = live;
  }

  /** Waits until the execution reports: after all bodies that it has started have ended. Then the session is over. */
  async onlyTurn(): Promise<TurnContent> {
    const content = this.#nextContent() ?? (await this.#wait(Infinity));
    this.drop();
    const needsMore = content.type === "report" && content.report.events.some(({ type }) => NEEDS_SESSION.has(type));
    return needsMore ? { type: "lost", error: SESSION_NEEDED } : content;
  }

  /** How long no request was answered or waited for an answer, ms. */
  idleMs(now: number): number {
    return this.#waiting.size > 0 ? 0 : now - this.#usedAt;
  }

  /** Nothing executes, and no outcome is unsent: the loss of the session costs only a replay. */
  get isIdle(): boolean {
    if (this.over || this.#lost !== undefined) return true;
    const outgoing = this.#outgoing;
    // The answer to a report that parks the run comes with the next message.
    return outgoing === undefined ? this.#parked : outgoing.sent && outgoing.report.events.at(-1)?.type === "parked";
  }

  drop(): void {
    this.over = true;
    this.#dropped = true;
    this.#live?.abort({ type: "superseded" });
    this.#wakeAll();
  }

  /** A body executes, or an outcome is not stored. `answered`: the report whose answer has arrived. */
  isNeeded(answered?: number): boolean {
    if (this.over || this.#lost !== undefined) return false;
    const outgoing = this.#outgoing;
    return this.#inProgress().length > 0 || (outgoing !== undefined && outgoing.number !== answered && !this.isIdle);
  }

  /** Accepts the request's messages and waits, at most `waitMs`, for the next message of the execution. */
  async turn(request: TurnRequest, waitMs: number): Promise<TurnContent> {
    this.#usedAt = this.#platform.now();
    if (request.aside === true || request.turn > this.#turn) this.#take(request);
    const answer =
      this.#nextContent() ??
      (request.aside === true ? { type: "idle" } : await this.#wait(Math.min(waitMs, request.waitMs ?? waitMs)));
    this.#usedAt = this.#platform.now();
    return answer;
  }

  #take({ turn, answer, page, updates = [], updatesBefore = 0, abort, aside, changes }: TurnRequest): void {
    // A request beside the turns may overtake one, and must not make it count as a repetition (U1).
    if (aside !== true) {
      this.#turn = turn;
      this.#changes = changes === true;
      this.#bodies.received();
    }
    if (answer !== undefined) this.#takeAnswer(answer.report, answer.answer);
    if (page !== undefined && page.after === this.#page?.after) {
      this.#page.resolve(page.entries);
      this.#page = undefined;
    }
    this.#takeUpdates(updatesBefore, updates);
    if (abort === undefined) return;
    this.over = true;
    this.#live?.abort(abort);
    this.#wakeAll();
  }

  /** Passes updates to the execution in order, each once (U3). */
  #takeUpdates(before: number, updates: readonly ExecutionUpdate[]): void {
    for (const [index, update] of updates.entries()) {
      if (before + index >= this.#updates) this.#early.set(before + index, update);
    }
    for (let next = this.#early.get(this.#updates); next !== undefined; next = this.#early.get(this.#updates)) {
      this.#early.delete(this.#updates);
      this.#updates += 1;
      this.#parked = false;
      this.#live?.update(next);
    }
  }

  #takeAnswer(number: number, answer: ReportAnswer): void {
    const outgoing = this.#outgoing;
    if (outgoing?.number !== number) return;
    this.#outgoing = undefined;
    this.over ||= !answer.accepted || endsRun(outgoing.report.events.at(-1));
    this.#parked = answer.accepted && answer.parked === true;
    outgoing.resolve(answer);
  }

  /** The content of an answer now; `undefined` while the execution continues. */
  #nextContent(): TurnContent | undefined {
    if (this.#dropped) return { type: "unknown_session" };
    if (this.#lost !== undefined) return { type: "lost", error: this.#lost };
    if (this.#outgoing !== undefined) {
      const { number, report } = this.#outgoing;
      this.#outgoing.sent = true;
      return { type: "report", number, report, ...this.#listBodies() };
    }
    if (this.#page !== undefined && !this.over) return { type: "page", after: this.#page.after };
    return this.over || this.#parked ? { type: "idle" } : undefined;
  }

  #listBodies(): Bodies {
    return this.#changes ? this.#bodies.changes(this.#inProgress()) : { inProgress: this.#inProgress() };
  }

  #inProgress(): ReturnType<NonNullable<LiveExecution["stepsInProgress"]>> {
    return this.#live?.stepsInProgress?.() ?? [];
  }

  async #wait(ms: number): Promise<TurnContent> {
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    if (this.#progressed) wake();
    const cancel = ms === Infinity ? undefined : this.#platform.setTimer(ms, wake);
    this.#waiting.add(wake);
    await woken;
    this.#waiting.delete(wake);
    cancel?.();
    const content = this.#nextContent();
    // Both contents below list the executing bodies with their progress.
    this.#progressed = false;
    return content ?? { type: "busy", ...this.#listBodies() };
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
