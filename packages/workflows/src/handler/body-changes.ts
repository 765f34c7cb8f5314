/**
 * The bodies that began since the orchestrator last received an answer.
 *
 * Owns: the memory of which bodies were sent. A body is sent once, or again with a repeated answer, so the cost of an
 * answer does not grow with the number of bodies that execute (REP6).
 */
import type { Bodies, OperationId, StepInProgress } from "@holdfast/protocol";

/** So many ended bodies may be remembered. */
const FORGET_ABOVE = 64;

export class BodyChanges {
  /** The newest attempt and progress of each body that an answer has contained. */
  readonly #sent = new Map<OperationId, StepInProgress>();
  /** Bodies in the answers to the newest turn, which the orchestrator may not have received. */
  #unconfirmed = new Map<OperationId, StepInProgress>();

  /** Records that the orchestrator has received the answer to the previous turn. */
  received(): void {
    this.#unconfirmed = new Map();
  }

  /** `executing`: the bodies in the order in which they began. */
  changes(executing: readonly StepInProgress[]): Bodies {
    for (const body of this.#new(executing)) {
      this.#sent.set(body.op, body);
      this.#unconfirmed.set(body.op, body);
    }
    this.#forget(executing);
    return { began: [...this.#unconfirmed.values()], executing: executing.length };
  }

  /** Forgets bodies that have ended, when they are more than those that execute. */
  #forget(executing: readonly StepInProgress[]): void {
    if (this.#sent.size <= 2 * executing.length + FORGET_ABOVE) return;
    this.#sent.clear();
    for (const body of executing) this.#sent.set(body.op, body);
  }

  /** New bodies are the last ones. Others are compared only if they have progress. */
  #new(executing: readonly StepInProgress[]): StepInProgress[] {
    const isOld = ({ op, attempt }: StepInProgress): boolean => this.#sent.get(op)?.attempt === attempt;
    const firstNew = executing.findLastIndex(isOld) + 1;
    const progressed = executing
      .slice(0, firstNew)
      .filter(({ op, progress }) => progress !== undefined && this.#sent.get(op)?.progress !== progress);
    return [...progressed, ...executing.slice(firstNew)];
  }
}
