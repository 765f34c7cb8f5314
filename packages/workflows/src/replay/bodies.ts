/**
 * The executing step bodies of one execution.
 *
 * Owns: their start, their abort, and the bounded wait for them when the run ends or unwinds (STEP6).
 */
import {
  type ExecutionStart,
  type OperationEvents,
  type OperationId,
  type StepInProgress,
  stepKeyOf,
  traceparentOf,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { CancelledError } from "../errors.ts";
import type { Log } from "../step-context.ts";
import type { OpenOperation, StepRequest } from "./operation.ts";
import type { Platform } from "./platform.ts";
import { Interval } from "./progress.ts";
import { StepBody } from "./step-body.ts";
import type { RunScope } from "./step-scope.ts";

/** `forward`: all bodies except compensations and shielded steps, which continue while the run unwinds. */
type Which = "all" | "forward";

/** The parts of the execution that bodies use. */
export interface BodiesHost extends RunScope {
  readonly platform: Platform;
  readonly start: ExecutionStart;
  /** Called when others may see new progress of bodies. */
  progressed(): void;
}

export class Bodies {
  readonly #host: BodiesHost;
  readonly #ended: (event: OperationEvents) => void;
  readonly #bodies = new Map<OperationId, StepBody>();
  /** Bodies that did not end immediately. */
  readonly #late = new Set<OperationId>();
  /** The number of bodies that have not settled, dropped ones included. */
  #unsettled = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #cancelGrace: (() => void) | undefined;
  readonly #progress: Interval;

  /** `ended` is called with each outcome, after the body was removed. */
  constructor(host: BodiesHost, ended: (event: OperationEvents) => void) {
    this.#host = host;
    this.#ended = ended;
    this.#progress = new Interval(host.platform, () => {
      for (const body of this.#bodies.values()) body.showProgress();
      host.progressed();
    });
  }

  /** Resolves when all bodies have settled, dropped ones included. */
  async settled(): Promise<void> {
    if (this.#unsettled === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  get count(): number {
    return this.#bodies.size;
  }

  inProgress(): StepInProgress[] {
    return [...this.#bodies.values()].map((body) => body.inProgress);
  }

  /** Returns whether this attempt of the operation is executing. */
  isCurrent(op: OperationId, attempt: number): boolean {
    return this.#bodies.get(op)?.attempt === attempt;
  }

  start(operation: OpenOperation, step: StepRequest, log: Log): void {
    const { run } = this.#host.start;
    const body = new StepBody(operation, step, {
      run: this.#host,
      platform: this.#host.platform,
      idempotencyKey: () => stepKeyOf(run, operation.id),
      traceparent: () => traceparentOf(run, operation.id),
      log,
      progressed: () => this.#progress.request(),
      ended: (event) => {
        this.#remove(event.op);
        this.#ended(this.#late.delete(event.op) ? { ...event, quiet: true } : event);
      },
      settled: () => {
        this.#unsettled -= 1;
        if (this.#unsettled === 0) this.#idle?.resolve();
      },
    });
    this.#bodies.set(operation.id, body);
    this.#unsettled += 1;
    body.start();
  }

  /** Marks the executing bodies as late: they did not end immediately. */
  markLate(): void {
    for (const op of this.#bodies.keys()) this.#late.add(op);
  }

  /** Aborts the signals of these operations' bodies. Their results still count. */
  abort(ops: readonly OperationId[], reason: Error): void {
    for (const op of ops) this.#bodies.get(op)?.abort(reason);
  }

  /** Ends a body whose result nobody needs, after a bounded time. Returns false if no such body executes. */
  withdraw(op: OperationId, reason: Error): boolean {
    const body = this.#bodies.get(op);
    body?.withdraw(reason);
    return body !== undefined;
  }

  /**
   * Aborts the signals of these bodies and gives them a bounded time to finish. Then drops the remaining ones and calls
   * `over`. Returns true if no such body executes.
   */
  windDown(which: Which, over: () => void): boolean {
    const bodies = this.#select(which);
    if (bodies.length === 0) return true;
    if (this.#cancelGrace !== undefined) return false;
    for (const body of bodies) body.abort(new CancelledError("The run is ending."));
    this.#cancelGrace = this.#host.platform.setTimer(LIMITS.siblingGraceMs, () => {
      this.drop(which, new CancelledError("The run has ended."));
      over();
    });
    return false;
  }

  /** Aborts the signals of these bodies and ignores their results. */
  drop(which: Which, reason: Error): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    for (const body of this.#select(which)) {
      body.abandon();
      body.abort(reason);
      this.#remove(body.op);
      this.#late.delete(body.op);
    }
  }

  #remove(op: OperationId): void {
    this.#bodies.delete(op);
    if (this.#bodies.size === 0) this.#progress.stop();
  }

  #select(which: Which): StepBody[] {
    return [...this.#bodies.values()].filter((body) => which === "all" || !body.survives);
  }
}
