/**
 * An execution in a sibling Worker, over RPC.
 *
 * Owns: the call of `execute`, which lasts while the run is busy, the news for the other side, and its release some time
 * after the run has parked or was paused. After the release neither side stays in memory for the execution.
 */
import {
  type AbortReason,
  type BodiesChanged,
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type JournalEntry,
  LIMITS,
  type LiveExecution,
  type OperationId,
  type ReportAnswer,
  type RpcBinding,
  type RpcCall,
  type RpcNews,
  type StepInProgress,
  endsRun,
  errorValue,
  hasNewProgress,
} from "@holdfast/protocol";
import { describeProblem, isRecord, toOrchestrator } from "@holdfast/protocol/messages";
import { Mailbox } from "@holdfast/protocol/transport";
import { invalidMessage } from "./checked-answers.ts";
import { pauseIfBusy } from "../rest.ts";
import { PipeError } from "./pipe-error.ts";
import { wiringMistake } from "./wiring.ts";

/** An execution of a run that waits, or is paused, is released after this time, ms. An earlier update needs no replay. */
const RELEASE_MS = 10_000;

/** A check of whether the process is busy sets a timer, which costs as much as a part of a report. */
const REPORTS_PER_CHECK = 16;

let reports = 0;

/** Nothing outside of the process separates the reports of a sibling, so some answers give others time. */
function orAfterPause<T>(answer: T): T | Promise<T> {
  reports += 1;
  if (reports % REPORTS_PER_CHECK !== 0) return answer;
  return pauseIfBusy()?.then(() => answer) ?? answer;
}

export class RpcExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  readonly #news = new Mailbox<RpcNews>();
  #inProgress = new Map<OperationId, StepInProgress>();
  /** Calls to make at the next sign of life. The other side sends its bodies several times a second. */
  #onSigns: (() => void)[] = [];
  /** Whether the other side has called. */
  #began = false;
  #over = false;
  #paused: boolean;
  #releaseTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, binding: RpcBinding) {
    this.#port = port;
    this.#paused = start.paused;
    // E1: the caller gets this object before the first report.
    queueMicrotask(() => void this.#call(start, binding));
  }

  async #call(start: ExecutionStart, binding: RpcBinding): Promise<void> {
    try {
      // A cast: the other side is not bound by types. Each method checks what it gets.
      await binding.execute(start, (async (name: unknown, given: unknown) => this.#receive(name, given)) as RpcCall);
      // The other side ended the call before the run ended: its Worker was replaced or reached a time limit.
      this.#lose(errorValue("SESSION_LOST", "The sibling Worker ended the execution."));
    } catch (error) {
      const mistake = this.#began ? undefined : wiringMistake(error);
      if (mistake !== undefined) return this.#lose(errorValue("DISPATCH_REFUSED", mistake));
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof PipeError && error.isFinal) return this.#lose(errorValue(error.code, message));
      this.#lose(
        this.#began
          ? errorValue("EXECUTOR_CRASHED", `The sibling Worker ended during the execution: ${message}`)
          : errorValue("DISPATCH_FAILED", `The sibling Worker could not be reached: ${message}`),
      );
    }
  }

  #receive(name: unknown, given: unknown): unknown {
    this.#began = true;
    for (const answered of this.#onSigns.splice(0)) answered();
    if (name === "report") return orAfterPause(this.#report(given as ExecutionReport));
    if (name === "next") return this.#news.take();
    if (name === "readPage") return this.#readPage(given as number);
    if (name === "bodies") return this.#bodies(given as BodiesChanged);
    if (name === "lost") return this.#lostBy(given as ErrorValue);
    return this.#invalid("the name of the call must be report, next, readPage, bodies or lost");
  }

  update(update: ExecutionUpdate): void {
    if (this.#over) return;
    this.#paused = update.paused ?? this.#paused;
    this.#news.put({ type: "update", update });
    this.#releaseLater(false);
  }

  /** Releases the execution some time after its run began to wait, or was paused and its last body has ended. */
  #releaseLater(parked: boolean): void {
    clearTimeout(this.#releaseTimer);
    if (!parked && !this.#paused) return;
    this.#releaseTimer = setTimeout(() => {
      if (this.#inProgress.size > 0) return this.#releaseLater(parked);
      this.#lose(errorValue("SESSION_LOST", parked ? "The run only waits." : "The run is paused."));
    }, RELEASE_MS);
  }

  abort(reason: AbortReason): void {
    if (this.#over) return;
    this.#news.put({ type: "abort", reason });
    this.#end();
  }

  stepsInProgress(): readonly StepInProgress[] {
    return [...this.#inProgress.values()];
  }

  /** Calls `answered` at the next message. The other side sends one every few hundred ms. */
  ping(answered: () => void): void {
    this.#onSigns.push(answered);
  }

  #bodies(changes: BodiesChanged): void {
    if (this.#over) return;
    const problem = toOrchestrator.bodiesChanged(changes, true);
    if (problem !== undefined) return this.#invalid(describeProblem("changes", problem));
    const isNew = hasNewProgress(changes.began, this.#inProgress);
    for (const op of changes.ended) this.#inProgress.delete(op);
    for (const body of changes.began) this.#inProgress.set(body.op, body);
    if (this.#inProgress.size > LIMITS.openOperations)
      return this.#invalid(`changes.began must leave at most ${LIMITS.openOperations} bodies`);
    if (isNew) this.#port.progressed?.();
  }

  #report(report: ExecutionReport): ReportAnswer {
    if (this.#over) return { accepted: false, reason: "superseded" };
    // The port checks the report: nothing here reads it before, and a spread of a long text would take minutes (SEC10).
    const answer = this.#port.report(isRecord(report) ? { ...report, remote: true } : report) as ReportAnswer;
    if (!answer.accepted || endsRun(report.events.at(-1))) this.#end();
    else this.#releaseLater(answer.parked === true);
    return answer;
  }

  #readPage(after: number): readonly JournalEntry[] | Promise<readonly JournalEntry[]> {
    const problem = toOrchestrator.pageRequest(after, true);
    if (!this.#over && problem !== undefined) this.#invalid(describeProblem("after", problem));
    return this.#over ? [] : Promise.resolve(this.#port.readPage?.(after) ?? []);
  }

  #lostBy(error: ErrorValue): void {
    const problem = toOrchestrator.lost(error, true);
    if (problem === undefined) this.#lose(error);
    else this.#invalid(describeProblem("error", problem));
  }

  #invalid(problem: string): void {
    const { code, message } = invalidMessage(problem);
    this.#lose(errorValue(code, message));
  }

  #lose(error: ErrorValue): void {
    if (this.#over) return;
    this.#end();
    this.#port.lost(error);
  }

  #end(): void {
    this.#over = true;
    this.#inProgress.clear();
    clearTimeout(this.#releaseTimer);
    this.#news.put({ type: "release" });
  }
}
