/**
 * The bodies that execute at the other end of a pipe of turns, as the orchestrator knows them.
 *
 * Owns: the list, which changes with each answer. Shown to readers, never journaled.
 */
import {
  type Bodies,
  type ExecutionReport,
  type OperationId,
  type StepInProgress,
  hasNewProgress,
} from "@holdfast/protocol";

/** The events that end a body. */
const ENDS: ReadonlySet<string> = new Set(["step.completed", "step.failed"]);

export class BodiesInProgress {
  #all = new Map<OperationId, StepInProgress>();
  /** Whether the next request should ask for changes only: the list is complete. */
  complete = true;

  get list(): readonly StepInProgress[] {
    return [...this.#all.values()];
  }

  get count(): number {
    return this.#all.size;
  }

  clear(): void {
    this.#all.clear();
  }

  /** Applies the list of an answer, after the outcomes of its report. Returns whether it shows new progress (STEP8). */
  apply({ inProgress = [], began = [], executing }: Bodies, report?: ExecutionReport): boolean {
    const isNew = hasNewProgress(executing === undefined ? inProgress : began, this.#all);
    if (executing === undefined) {
      this.#all = new Map(inProgress.map((body) => [body.op, body]));
      this.complete = true;
      return isNew;
    }
    for (const event of report?.events ?? []) if (ENDS.has(event.type) && "op" in event) this.#all.delete(event.op);
    for (const body of began) this.#all.set(body.op, body);
    this.complete = this.#all.size === executing;
    return isNew;
  }
}
