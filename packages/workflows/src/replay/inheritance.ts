/**
 * Finds the outcomes that the operations of a resumed run take over.
 *
 * Owns: the comparison of places (RES3). An outcome is taken over if the function requests the operation after the same
 * outcome as the parent's function did, and no code of another branch can be the one that requests it.
 *
 * Invariants
 * - IN1 The result depends only on the requests and the delivered outcomes, in their order, so each replay finds the same.
 */
import {
  type ExecutionStart,
  type InheritedPlace,
  type OperationId,
  lineageOf,
  parseOperationId,
} from "@holdfast/protocol";
import type { OpenOperation } from "./operation.ts";

export class Inheritance {
  readonly #byId: ReadonlySet<OperationId>;
  /** The outcomes that no operation has taken over, by kind and name. */
  readonly #byName = new Map<string, Set<InheritedPlace>>();
  /** The outcomes after which the parent's function requested nothing. */
  readonly #silent: readonly string[];
  readonly #lines = new WeakMap<OpenOperation, string>();
  /** The lineages of the operations whose outcomes were delivered. */
  readonly #received = new Set([""]);
  /** The lineage of the last of them. */
  #last = "";
  /** How many of the first silent outcomes were delivered. */
  #silentReceived = 0;
  /** The same, if they were delivered in the parent's order. */
  #silentInOrder = 0;
  /** The operations that were requested since the last outcome. */
  #requested: OpenOperation[] = [];

  private constructor({ inherited, lineage }: ExecutionStart) {
    this.#byId = new Set(inherited);
    for (const one of lineage?.outcomes ?? []) {
      const name = nameOf(one.op);
      this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(one));
    }
    this.#silent = lineage?.silent ?? [];
  }

  /** Returns `undefined` if the run takes over no outcomes. */
  static of(start: ExecutionStart): Inheritance | undefined {
    const any = start.inherited.length > 0 || start.lineage !== undefined;
    return any ? new Inheritance(start) : undefined;
  }

  requested(operation: OpenOperation): void {
    this.#requested.push(operation);
  }

  /** Records that the outcome of an operation is delivered now. Returns the operation's lineage. */
  received(operation: OpenOperation): string {
    this.assign();
    this.#last = this.#lines.get(operation) ?? "";
    this.#received.add(this.#last);
    if (this.#last === this.#silent[this.#silentInOrder]) this.#silentInOrder += 1;
    while (this.#received.has(this.#silent[this.#silentReceived] ?? "?")) this.#silentReceived += 1;
    return this.#last;
  }

  /** Finds the outcomes of the operations that were requested since the last delivered outcome. */
  assign(): void {
    const requested = this.#requested;
    this.#requested = [];
    const shared = new Set(requested.flatMap(({ id, place }) => (place.use === 0 ? [] : [nameOf(id)])));
    for (const operation of requested) {
      const { origin, use } = operation.place;
      const line = lineageOf(origin?.line ?? "", operation.id, use);
      this.#lines.set(operation, line);
      operation.heir = this.#find(operation, line, shared.has(nameOf(operation.id)));
    }
  }

  #find({ id, request }: OpenOperation, line: string, shared: boolean): OpenOperation["heir"] {
    if (this.#byId.has(id)) return { from: id };
    const named = this.#byName.get(nameOf(id));
    if (named === undefined) return undefined;
    let found: InheritedPlace | undefined;
    let near = false;
    for (const one of named) {
      const isHere = one.line === line;
      const isNear = one.line === undefined || isHere || this.#isPassed(one);
      near ||= isNear;
      if (isHere && this.#isCertain(one, shared)) found = one;
      // A caller means the step of this name, wherever it is now (RES2).
      else if (isNear && one.seeded) found ??= one;
    }
    if (found === undefined) return near && request.type === "step" && request.step.once ? "refused" : undefined;
    named.delete(found);
    return { from: found.op };
  }

  /**
   * Whether no other branch can request the operation here. Code that continued after no outcome in the parent could: it
   * may have waited for another promise. So this function must have received all outcomes after which such code waited,
   * and in the same order if several operations of one name are requested together.
   */
  #isCertain({ silent, shared }: InheritedPlace, sharedHere: boolean): boolean {
    return silent <= (shared || sharedHere ? this.#silentInOrder : this.#silentReceived);
  }

  /** Whether the function has passed the place where the parent's function requested the operation. */
  #isPassed({ after }: InheritedPlace): boolean {
    return after !== this.#last && this.#received.has(after);
  }
}

function nameOf(op: OperationId): string {
  const { kind, name } = parseOperationId(op);
  return `${kind}/${name}`;
}
