/**
 * An execution in a sibling Worker, over RPC.
 *
 * Owns: the call of `execute`, which lasts while the run is busy, and its release some time after the run has parked.
 * After the release neither side stays in memory for the execution.
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
  type RpcLive,
  type StepInProgress,
  endsRun,
  errorValue,
  hasNewProgress,
} from "@holdfast/protocol";
import { describeProblem, isRecord, toOrchestrator } from "@holdfast/protocol/messages";
import { invalidMessage } from "./checked-answers.ts";
import { PipeError } from "./pipe-error.ts";
import { wiringMistake } from "./wiring.ts";

/** A parked execution is released after this time, ms. An update that arrives earlier needs no replay. */
const RELEASE_PARKED_MS = 10_000;

export class RpcExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  #live: RpcLive | undefined;
  /** Calls that wait for `connect`. */
  #waiting: ((live: RpcLive) => void)[] = [];
  #inProgress = new Map<OperationId, StepInProgress>();
  /** Calls to make at the next sign of life. The other side sends its progress several times a second. */
  #onSigns: (() => void)[] = [];
  #over = false;
  #parkedTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, binding: RpcBinding) {
    this.#port = port;
    // E1: the caller gets this object before the first report.
    queueMicrotask(() => void this.#call(start, binding));
  }

  async #call(start: ExecutionStart, binding: RpcBinding): Promise<void> {
    try {
      await binding.execute(start, {
        connect: (live) => this.#connect(live),
        report: (report) => this.#report(report),
        readPage: (after) => this.#readPage(after),
        progress: (steps) => this.#progress(steps),
        bodiesChanged: (changes) => this.#bodiesChanged(changes),
        lost: (error) => this.#lostBy(error),
      });
      // The other side ended the call before the run ended: its Worker was replaced or reached a time limit.
      this.#lose(errorValue("SESSION_LOST", "The sibling Worker ended the execution."));
    } catch (error) {
      const mistake = this.#live === undefined ? wiringMistake(error) : undefined;
      if (mistake !== undefined) return this.#lose(errorValue("DISPATCH_REFUSED", mistake));
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof PipeError && error.isFinal) return this.#lose(errorValue(error.code, message));
      this.#lose(
        this.#live !== undefined
          ? errorValue("EXECUTOR_CRASHED", `The sibling Worker ended during the execution: ${message}`)
          : errorValue("DISPATCH_FAILED", `The sibling Worker could not be reached: ${message}`),
      );
    }
  }

  update(update: ExecutionUpdate): void {
    clearTimeout(this.#parkedTimer);
    this.#withLive((live) => live.update(update));
  }

  abort(reason: AbortReason): void {
    if (this.#over) return;
    this.#withLive(async (live) => {
      await live.abort(reason);
      await live.release();
    });
    this.#end();
  }

  stepsInProgress(): readonly StepInProgress[] {
    return [...this.#inProgress.values()];
  }

  /** Calls `answered` at the next message. The other side sends one every few hundred ms. */
  ping(answered: () => void): void {
    this.#onSigns.push(answered);
  }

  #sign(): void {
    for (const answered of this.#onSigns.splice(0)) answered();
  }

  /** An older sibling lists all its bodies. */
  #progress(steps: readonly StepInProgress[]): void {
    const problem = toOrchestrator.stepsInProgress(steps, true);
    if (problem !== undefined) return this.#invalid(describeProblem("steps", problem));
    const ops = new Set(steps.map(({ op }) => op));
    this.#bodiesChanged({ began: steps, ended: [...this.#inProgress.keys()].filter((op) => !ops.has(op)) });
  }

  #bodiesChanged(changes: BodiesChanged): void {
    this.#sign();
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

  #connect(live: RpcLive): void {
    const held: RpcLive = { update: hold(live.update), abort: hold(live.abort), release: hold(live.release) };
    this.#live = held;
    for (const act of this.#waiting.splice(0)) act(held);
    if (this.#over) this.#release();
  }

  #report(report: ExecutionReport): ReportAnswer {
    this.#sign();
    if (this.#over) return { accepted: false, reason: "superseded" };
    // The port checks the report: nothing here reads it before, and a spread of a long text would take minutes (SEC10).
    const answer = this.#port.report(isRecord(report) ? { ...report, remote: true } : report) as ReportAnswer;
    clearTimeout(this.#parkedTimer);
    if (!answer.accepted || endsRun(report.events.at(-1))) this.#end();
    else if (answer.parked === true) {
      this.#parkedTimer = setTimeout(
        () => this.#lose(errorValue("SESSION_LOST", "The run only waits.")),
        RELEASE_PARKED_MS,
      );
    }
    return answer;
  }

  #readPage(after: number): readonly JournalEntry[] | Promise<readonly JournalEntry[]> {
    this.#sign();
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
    clearTimeout(this.#parkedTimer);
    // Release after the final report was answered: the release ends the call that carries the answer.
    setTimeout(() => this.#release(), 0);
  }

  #release(): void {
    const live = this.#live;
    if (live === undefined) return;
    live
      .release()
      .catch(() => {})
      .finally(() => {
        for (const stub of [live.update, live.abort, live.release]) dispose(stub);
      });
  }

  #withLive(act: (live: RpcLive) => Promise<unknown>): void {
    const safely = (live: RpcLive): void =>
      void act(live).catch((error: unknown) =>
        this.#lose(errorValue("DISPATCH_FAILED", `The sibling Worker is gone: ${String(error)}`)),
      );
    if (this.#live === undefined) this.#waiting.push(safely);
    else safely(this.#live);
  }
}

/** Duplicates a function stub: the platform disposes of an argument's stubs when the call that passed it returns. */
function hold<F extends object>(stub: F & { readonly dup?: () => F }): F {
  return stub.dup?.() ?? stub;
}

function dispose(stub: object): void {
  const symbols = Symbol as unknown as { readonly dispose: symbol };
  (stub as Record<symbol, (() => void) | undefined>)[symbols.dispose]?.();
}
