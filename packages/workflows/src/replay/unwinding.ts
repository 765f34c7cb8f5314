/**
 * Unwinds a run: compensates its completed steps.
 *
 * Owns: the conditions for unwinding, and the order of compensations (COMP1): sequential, last completed step first.
 * Compensations are operations like steps, so unwinding continues after a crash (COMP2).
 */
import { type JournalEntry, decodeValue, parseOperationId } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { CancelledError } from "../errors.ts";
import type { Bodies } from "./bodies.ts";
import type { OpenOperation } from "./operation.ts";
import type { CompletedStep, Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import type { Shields } from "./shields.ts";
import { type FunctionEnd, unwindRequest } from "./run-end.ts";

type Stage =
  | "forward"
  /** Unwinding was requested, or the function must still end after a cancel. */
  | "starting"
  | "compensating"
  | "unwound";

/** The parts of the execution that unwinding uses. */
export interface UnwindingHost {
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly platform: Platform;
  readonly shields: Shields;
  /** Aborts the signal of the function. */
  abortSignal(error: Error): void;
  /** Records that the function has ended. Its later operations are ignored. */
  leave(end: FunctionEnd): void;
  /** Requests another round of the scheduler. */
  wake(): void;
}

export class Unwinding {
  readonly #host: UnwindingHost;
  #stage: Stage = "forward";
  #functionOver = false;
  /** The function has returned, or thrown. Its shielded steps may still execute. */
  returned = false;
  /** The executing compensations. */
  readonly #executing = new Set<OpenOperation>();
  #cancelGrace: (() => void) | undefined;
  #leaveAt = 0;

  constructor(host: UnwindingHost) {
    this.#host = host;
  }

  /** True from the decision to unwind until the last compensation. */
  get inProgress(): boolean {
    return this.#stage === "starting" || this.#stage === "compensating";
  }

  /** True when all compensations have ended. */
  get unwound(): boolean {
    return this.#stage === "unwound";
  }

  /** Handles the end of the function. If it failed and a step has a compensation, the run unwinds. */
  functionEnded(end: FunctionEnd): void {
    this.#functionOver = true;
    const { operations } = this.#host;
    if (this.#stage === "forward" && end.type === "failed" && operations.compensable) {
      this.#stage = "starting";
      operations.requestUnwind(unwindRequest(end.error, (error) => operations.stepOf(error)));
    } else if (this.#stage === "starting" && operations.get("unwind/0/run") === undefined) {
      this.#compensateAll();
    }
  }

  /** Handles `ctx.compensate`: unwinds the run and ignores later operations of the function. */
  request(): void {
    // A branch that was not awaited may request this after the function has ended: the end stays valid.
    if (this.#stage !== "forward" || this.returned || this.#functionOver) return;
    this.#stage = "starting";
    const error = { name: "CompensatedError", message: "The workflow asked to be undone.", code: "COMPENSATED" };
    this.#host.shields.whenEnded(() => {
      // A cancel may have come while shielded steps executed: the run unwinds already.
      if (this.#leaveAt === 0) this.#host.operations.requestUnwind({ cause: "request", error });
      this.#host.leave({ type: "left" });
    });
  }

  /** Handles a new entry before its delivery: a cancel aborts the executing bodies at once (CAN1). */
  accepted(entry: JournalEntry): void {
    if (entry.type !== "run.unwinding" || entry.nth !== 0) return;
    const error = new CancelledError(entry.error.message);
    this.#host.bodies.drop("forward", error);
    this.#host.abortSignal(error);
  }

  /** Handles the journal entry that unwinds the run. */
  unwind(entry: JournalEntry & { readonly type: "run.unwinding" }): void {
    const { operations, platform, shields } = this.#host;
    if (entry.nth !== 0) {
      operations.leaveOpen();
      return this.#compensateAll();
    }
    this.accepted(entry);
    operations.close();
    operations.rejectOpen(new CancelledError(entry.error.message));
    this.#stage = "starting";
    if (this.#functionOver) return this.#compensateAll();
    shields.announce();
    // Shielded or not, clean-up code gets a bounded time.
    this.#leaveAt = platform.now() + LIMITS.shieldedMsMax;
    this.#awaitFunction();
  }

  /** Gives code a bounded time to clean up (CAN3), counted again after each call of `ctx.shielded` (CAN9). */
  #awaitFunction(): void {
    const { platform, shields } = this.#host;
    this.#cancelGrace = platform.setTimer(LIMITS.siblingGraceMs, () => {
      let isOpen = true;
      shields.whenEnded(() => (isOpen = false));
      if (!isOpen || platform.now() >= this.#leaveAt) return this.#host.leave({ type: "left" });
      shields.whenEnded(() => this.#awaitFunction());
    });
  }

  stop(): void {
    this.#cancelGrace?.();
  }

  #compensateAll(): void {
    this.#cancelGrace?.();
    this.#stage = "compensating";
    const { operations } = this.#host;
    operations.close();
    // Compensations that a group had started end first.
    const started = [...this.#executing].map((operation) => operation.promise);
    const all = Promise.allSettled(started).then(() => this.#compensate(operations.completed));
    void all.then(() => {
      this.#stage = "unwound";
      operations.leaveOpen();
      this.#host.wake();
    });
  }

  /** Compensates these steps of a group (COMP4). If the run starts to unwind, the unwinding handles the remaining ones. */
  async compensateGroup(steps: readonly CompletedStep[]): Promise<void> {
    if (this.#stage === "forward") await this.#compensate(steps);
  }

  /** Compensates these steps, last completed first. A failed compensation does not stop the others (COMP3). */
  async #compensate(steps: readonly CompletedStep[]): Promise<void> {
    const { operations } = this.#host;
    const stage = this.#stage;
    for (const step of steps.toReversed()) {
      if (this.#stage !== stage) return;
      const index = operations.completed.indexOf(step);
      if (index < 0) continue;
      operations.completed.splice(index, 1);
      await this.#compensateStep(step).catch(() => {});
    }
  }

  async #compensateStep(step: CompletedStep): Promise<void> {
    const { request } = step.operation;
    if (request.type !== "step") return;
    const { compensate, retry, timeoutMs = LIMITS.compensationMs, context } = request.step;
    const mock = this.#host.platform.replaceBody?.("compensation", parseOperationId(step.operation.id).name);
    const fn = (): unknown => (mock ?? compensate)?.(decodeValue(step.value) as never);
    const operation = this.#host.operations.requestCompensation(step, { fn, retry, timeoutMs, once: false, context });
    this.#executing.add(operation);
    await operation.promise.finally(() => this.#executing.delete(operation));
  }
}
