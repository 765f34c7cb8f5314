/**
 * Undoing what a run has done.
 *
 * Owns: when the run unwinds, and the order in which completed steps are undone (COMP1): last completed first, one
 * after the other. Compensations are operations like steps, so a crash in the middle continues where it was (COMP2).
 */
import { type JournalEntry, LIMITS, decodeValue, parseOperationId } from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";
import type { Bodies } from "./bodies.ts";
import type { OpenOperation } from "./operation.ts";
import type { CompletedStep, Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import { type FunctionEnd, unwindRequest } from "./run-end.ts";

type Stage =
  | "forward"
  /** The turn is asked for, or the function is still to end after the run was cancelled. */
  | "turning"
  | "undoing"
  | "undone";

/** What unwinding needs of its execution. */
export interface UnwindingHost {
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly platform: Platform;
  readonly controller: AbortController;
  /** The function has ended: nothing that it still does counts. */
  leave(end: FunctionEnd): void;
  /** Asks for another round of the scheduler. */
  wake(): void;
}

export class Unwinding {
  readonly #host: UnwindingHost;
  #stage: Stage = "forward";
  #functionOver = false;
  /** What is being undone right now. */
  readonly #undoing = new Set<OpenOperation>();
  #cancelGrace: (() => void) | undefined;

  constructor(host: UnwindingHost) {
    this.#host = host;
  }

  /** From the decision to unwind to the last compensation. */
  get inProgress(): boolean {
    return this.#stage === "turning" || this.#stage === "undoing";
  }

  /** All is undone that could be. */
  get unwound(): boolean {
    return this.#stage === "undone";
  }

  /** The function has ended. If it failed and a step can be undone, the run unwinds. */
  functionEnded(end: FunctionEnd): void {
    this.#functionOver = true;
    const { operations } = this.#host;
    if (this.#stage === "forward" && end.type === "failed" && operations.compensable) {
      this.#stage = "turning";
      operations.askToUnwind(unwindRequest(end.error, (error) => operations.stepOf(error)));
    } else if (this.#stage === "turning" && operations.get("unwind/0/run") === undefined) {
      this.#undoAll();
    }
  }

  /** The code asks to be undone: nothing that it does from now on counts (`ctx.compensate`). */
  request(): void {
    // A branch that nobody awaited may ask when the function has ended: its end stands.
    if (this.#stage !== "forward" || this.#functionOver) return;
    this.#stage = "turning";
    const error = { name: "CompensatedError", message: "The workflow asked to be undone.", code: "COMPENSATED" };
    this.#host.operations.askToUnwind({ cause: "request", error });
    this.#host.leave({ type: "left" });
  }

  /** News that cannot wait for its turn: when a run is cancelled, bodies that execute are aborted at once (CAN1). */
  accepted(entry: JournalEntry): void {
    if (entry.type !== "run.unwinding" || entry.nth !== 0) return;
    const error = new CancelledError(entry.error.message);
    this.#host.bodies.drop("forward", error);
    this.#host.controller.abort(error);
  }

  /** The journal says that the run unwinds. */
  unwind(entry: JournalEntry & { readonly type: "run.unwinding" }): void {
    const { operations, platform } = this.#host;
    if (entry.nth !== 0) {
      operations.leaveOpen();
      return this.#undoAll();
    }
    this.accepted(entry);
    operations.close();
    operations.rejectOpen(new CancelledError(entry.error.message));
    this.#stage = "turning";
    if (this.#functionOver) return this.#undoAll();
    // Code may tidy up (CAN3), for a bounded time.
    this.#cancelGrace = platform.setTimer(LIMITS.siblingGraceMs, () => this.#host.leave({ type: "left" }));
  }

  stop(): void {
    this.#cancelGrace?.();
  }

  #undoAll(): void {
    this.#cancelGrace?.();
    this.#stage = "undoing";
    const { operations } = this.#host;
    operations.close();
    // What a group was undoing when the run turned back comes first: it had begun already.
    const begun = [...this.#undoing].map((operation) => operation.promise);
    const all = Promise.allSettled(begun).then(() => this.#undo(operations.completed));
    void all.then(() => {
      this.#stage = "undone";
      operations.leaveOpen();
      this.#host.wake();
    });
  }

  /** Undoes these steps while the run goes forward (COMP4). If it turns back meanwhile, they are undone with the rest. */
  async undoGroup(steps: readonly CompletedStep[]): Promise<void> {
    if (this.#stage === "forward") await this.#undo(steps);
  }

  /** Undoes these steps, last completed first. One that cannot be undone does not stop the others (COMP3). */
  async #undo(steps: readonly CompletedStep[]): Promise<void> {
    const { operations } = this.#host;
    const stage = this.#stage;
    for (const step of steps.toReversed()) {
      if (this.#stage !== stage) return;
      const place = operations.completed.indexOf(step);
      if (place < 0) continue;
      operations.completed.splice(place, 1);
      await this.#undoStep(step).catch(() => {});
    }
  }

  async #undoStep(step: CompletedStep): Promise<void> {
    const { request } = step.operation;
    if (request.type !== "step") return;
    const { compensate, retry, timeoutMs } = request.step;
    const mock = this.#host.platform.replaceBody?.("compensation", parseOperationId(step.operation.id).name);
    const fn = (): unknown => (mock ?? compensate)?.(decodeValue(step.value) as never);
    const operation = this.#host.operations.askToUndo(step, { fn, retry, timeoutMs, once: false });
    this.#undoing.add(operation);
    await operation.promise.finally(() => this.#undoing.delete(operation));
  }
}
