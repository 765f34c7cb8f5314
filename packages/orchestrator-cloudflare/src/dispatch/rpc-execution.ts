/**
 * An execution in a sibling Worker, over RPC.
 *
 * Owns: the call, which lasts for as long as the run is busy; and letting go of it a while after the run has parked, so
 * that neither side stays in memory for it.
 */
import {
  type AbortReason,
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type LiveExecution,
  type ReportAnswer,
  type RpcBinding,
  type RpcLive,
  type StepInProgress,
  endsRun,
  errorValue,
} from "@holdfast/protocol";

/** How long a parked execution is kept, for news that comes soon. */
const KEEP_PARKED_MS = 10_000;

export class RpcExecution implements LiveExecution {
  readonly #port: ExecutionPort;
  #live: RpcLive | undefined;
  #waiting: ((live: RpcLive) => void)[] = [];
  #inProgress: readonly StepInProgress[] = [];
  #over = false;
  #letGo: ReturnType<typeof setTimeout> | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, binding: RpcBinding) {
    this.#port = port;
    // E1: the caller gets this object before anything is said.
    queueMicrotask(() => void this.#call(start, binding));
  }

  async #call(start: ExecutionStart, binding: RpcBinding): Promise<void> {
    try {
      await binding.execute(start, {
        connect: (live) => this.#connect(live),
        report: (report) => this.#report(report),
        progress: (steps) => {
          this.#inProgress = steps;
        },
        lost: (error) => this.#lose(error),
      });
      // The other side let go although the run is not over: it was replaced, or ran out of its time.
      this.#lose(errorValue("SESSION_LOST", "The sibling Worker ended the execution."));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#lose(errorValue("DISPATCH_FAILED", `The sibling Worker could not be reached: ${message}`));
    }
  }

  update(update: ExecutionUpdate): void {
    clearTimeout(this.#letGo);
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
    return this.#inProgress;
  }

  #connect(live: RpcLive): void {
    const kept: RpcLive = { update: keep(live.update), abort: keep(live.abort), release: keep(live.release) };
    this.#live = kept;
    for (const act of this.#waiting.splice(0)) act(kept);
    if (this.#over) this.#release();
  }

  #report(report: ExecutionReport): ReportAnswer {
    if (this.#over) return { accepted: false, reason: "superseded" };
    const answer = this.#port.report({ ...report, remote: true }) as ReportAnswer;
    clearTimeout(this.#letGo);
    if (!answer.accepted || endsRun(report.events.at(-1))) this.#end();
    else if (answer.parked === true) {
      this.#letGo = setTimeout(() => this.#lose(errorValue("SESSION_LOST", "The run only waits.")), KEEP_PARKED_MS);
    }
    return answer;
  }

  #lose(error: ErrorValue): void {
    if (this.#over) return;
    this.#end();
    this.#port.lost(error);
  }

  #end(): void {
    this.#over = true;
    this.#inProgress = [];
    clearTimeout(this.#letGo);
    // Behind the answer to the report that ended it.
    setTimeout(() => this.#release(), 0);
  }

  #release(): void {
    const live = this.#live;
    if (live === undefined) return;
    live
      .release()
      .catch(() => {})
      .finally(() => {
        for (const stub of [live.update, live.abort, live.release]) letGo(stub);
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

/** A function that came over RPC lives as long as the call in which it came, unless it is duplicated. */
function keep<F extends object>(stub: F & { readonly dup?: () => F }): F {
  return stub.dup?.() ?? stub;
}

function letGo(stub: object): void {
  const { dispose } = Symbol as unknown as { readonly dispose: symbol };
  (stub as Record<symbol, (() => void) | undefined>)[dispose]?.();
}
