/**
 * Which steps wait for a place at their limit (STEP10).
 *
 * Owns: the places that this execution has asked for. Further steps ask when one of these ends. A step without a limit is
 * never here.
 */
import type { AdmittedStep, OperationEvents, OperationId } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { OpenOperation } from "./operation.ts";

export class StepPlaces {
  /** The operations that have asked. `true`: the next attempt may start. */
  readonly #asked: Map<OperationId, boolean> = new Map();
  readonly #executing = new Set<OperationId>();
  #first: readonly AdmittedStep[];

  /** `first`: what the run has at the start of this execution. */
  constructor(first: readonly AdmittedStep[] = []) {
    this.#first = first;
  }

  /** Whether the next attempt of the step can do nothing now: it has asked, or too many have. */
  waits({ id, request, attempts }: OpenOperation): boolean {
    if (request.type !== "step" || request.step.limit === undefined || this.#isFirst(id, attempts)) return false;
    return this.#asked.has(id)
      ? this.#asked.get(id) === false
      : this.#asked.size + this.#executing.size >= LIMITS.stepPlaces;
  }

  /** Returns the event with which the next attempt asks; `undefined`: it may start. */
  ask({ id: op, nth, request, attempts, shield }: OpenOperation): OperationEvents | undefined {
    const limit = request.type === "step" ? request.step.limit : undefined;
    if (limit === undefined || this.#asked.get(op) === true || this.#isFirst(op, attempts)) return undefined;
    this.#asked.set(op, false);
    const shielded = shield === undefined ? {} : { shielded: true as const };
    return { type: "step.wants", op, nth, attempt: attempts + 1, limit, ...shielded };
  }

  /** `attemptsOf`: how many attempts of an open step have failed. */
  admit(steps: readonly AdmittedStep[], attemptsOf: (op: OperationId) => number | undefined): void {
    for (const { op, attempt } of steps)
      if (this.#asked.has(op) && attemptsOf(op) === attempt - 1) this.#asked.set(op, true);
  }

  began({ id, request }: OpenOperation): void {
    this.#asked.delete(id);
    if (request.type === "step" && request.step.limit !== undefined) this.#executing.add(id);
  }

  /** The attempt has ended. The next one asks again. */
  ended(op: OperationId): void {
    this.#asked.delete(op);
    this.#executing.delete(op);
  }

  /** The run is paused: what has not started asks again. */
  forget(): void {
    this.#asked.clear();
    this.#first = [];
  }

  #isFirst(op: OperationId, attempts: number): boolean {
    return this.#first.some((one) => one.op === op && one.attempt === attempts + 1);
  }
}
