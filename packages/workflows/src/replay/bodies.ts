/**
 * The step bodies of one execution that execute right now.
 *
 * Owns: starting them, stopping them, and waiting for them for a bounded time when the run ends or turns back (STEP6).
 */
import {
  LIMITS,
  type OperationEvents,
  type OperationId,
  type RunFacts,
  type StepInProgress,
  traceparentOf,
} from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";
import type { Log } from "../step-context.ts";
import type { OpenOperation, StepRequest } from "./operation.ts";
import type { Platform } from "./platform.ts";
import { StepBody } from "./step-body.ts";

/** `forward`: all but what undoes steps, which goes on when the run turns back. */
type Which = "all" | "forward";

export class Bodies {
  readonly #platform: Platform;
  readonly #run: RunFacts;
  readonly #ended: (event: OperationEvents) => void;
  readonly #bodies = new Map<OperationId, StepBody>();
  /** Bodies that did not end at once. */
  readonly #late = new Set<OperationId>();
  /** Also those that are not heard any more. */
  #unsettled = 0;
  #atRest: PromiseWithResolvers<void> | undefined;
  #cancelGrace: (() => void) | undefined;

  /** `ended` is told of each outcome, after the body left the list. */
  constructor(platform: Platform, run: RunFacts, ended: (event: OperationEvents) => void) {
    this.#platform = platform;
    this.#run = run;
    this.#ended = ended;
  }

  /** Resolves when no body executes, dropped ones included. */
  async settled(): Promise<void> {
    if (this.#unsettled === 0) return;
    this.#atRest ??= Promise.withResolvers<void>();
    await this.#atRest.promise;
  }

  get count(): number {
    return this.#bodies.size;
  }

  inProgress(): StepInProgress[] {
    return [...this.#bodies.values()].map((body) => body.inProgress);
  }

  /** Whether this attempt of the operation is the one that executes. */
  isCurrent(op: OperationId, attempt: number): boolean {
    return this.#bodies.get(op)?.inProgress.attempt === attempt;
  }

  start(operation: OpenOperation, step: StepRequest, log: Log): void {
    const body = new StepBody(operation, step, {
      platform: this.#platform,
      idempotencyKey: `${this.#run.id}/${operation.id}`,
      traceparent: () => traceparentOf(this.#run, operation.id),
      log,
      ended: (event) => {
        this.#bodies.delete(event.op);
        this.#ended(this.#late.delete(event.op) ? { ...event, quiet: true } : event);
      },
      settled: () => {
        this.#unsettled -= 1;
        if (this.#unsettled === 0) this.#atRest?.resolve();
      },
    });
    this.#bodies.set(operation.id, body);
    this.#unsettled += 1;
    body.start();
  }

  /** The time for ending at once is over: what executes now takes its time. */
  markLate(): void {
    for (const op of this.#bodies.keys()) this.#late.add(op);
  }

  /** Aborts the signals of these operations' bodies. What they still return counts. */
  abort(ops: readonly OperationId[], reason: Error): void {
    for (const op of ops) this.#bodies.get(op)?.abort(reason);
  }

  /**
   * Aborts the signals of these bodies and lets them finish for a bounded time; then `over` is called and what is left
   * is dropped. True: there are none.
   */
  wind(which: Which, over: () => void): boolean {
    const bodies = this.#select(which);
    if (bodies.length === 0) return true;
    if (this.#cancelGrace !== undefined) return false;
    for (const body of bodies) body.abort(new CancelledError("The run is ending."));
    this.#cancelGrace = this.#platform.setTimer(LIMITS.siblingGraceMs, () => {
      this.drop(which, new CancelledError("The run has ended."));
      over();
    });
    return false;
  }

  /** Aborts the signals of these bodies; whatever they still return is not heard. */
  drop(which: Which, reason: Error): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    for (const body of this.#select(which)) {
      body.abandon();
      body.abort(reason);
      this.#bodies.delete(body.inProgress.op);
      this.#late.delete(body.inProgress.op);
    }
  }

  #select(which: Which): StepBody[] {
    return [...this.#bodies.values()].filter((body) => which === "all" || body.kind !== "compensation");
  }
}
