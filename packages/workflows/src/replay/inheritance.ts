/**
 * Finds the outcomes that the operations of a resumed run take over.
 *
 * Owns: the comparison of places (RES3). An outcome is taken over if the function requests the operation after the same
 * outcome as the parent's function did, and no code of another branch can be the one that requests it: the name is used
 * once, or the code is that of one item of `ctx.parallel`, or the function has received all outcomes in the parent's order.
 * So these are handed over in that order.
 *
 * Invariants
 * - IN1 The result depends only on the requests and the delivered outcomes, in their order, so each replay finds the same.
 */
import {
  type ExecutionStart,
  type InheritedPlace,
  type OperationId,
  type ReceivedOrder,
  lineageOf,
  parseOperationId,
} from "@holdfast/protocol";
import type { ItemChain, OpenOperation } from "./operation.ts";

export class Inheritance {
  readonly #byId: ReadonlySet<OperationId>;
  /** The outcomes that no operation has taken over, by kind and name. */
  readonly #byName = new Map<string, Set<InheritedPlace>>();
  /** The lineages of the operations whose outcomes were delivered. */
  readonly #received = new Set([""]);
  /** The lineage of the last of them. */
  #last = "";
  /** The parent's order of outcomes, as long as all outcomes were delivered in that order. */
  #order: ReceivedOrder | undefined;
  /** The number of delivered outcomes. */
  #count = 0;

  private constructor({ inherited, lineage }: ExecutionStart) {
    this.#byId = new Set(inherited);
    for (const one of lineage?.outcomes ?? []) {
      const name = nameOf(one.op);
      this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(one));
    }
    this.#order = lineage?.order;
  }

  /** Returns `undefined` if the run takes over no outcomes. */
  static of(start: ExecutionStart): Inheritance | undefined {
    const any = start.inherited.length > 0 || start.lineage !== undefined;
    return any ? new Inheritance(start) : undefined;
  }

  /** Finds the outcome of an operation that the function requests. `line`: the lineage of what it counts from. */
  requested(operation: OpenOperation, line: string): void {
    const { use, chain } = operation.place;
    const name = nameOf(operation.id);
    operation.line = lineageOf(line, operation.id, use);
    let isOwn = false;
    if (chain !== undefined) {
      // Items that wait for each other, or share items of their own, request one name again and again.
      isOwn = liveOf(chain) !== undefined && !chain.names.includes(`${name},`);
      chain.names += `${name},`;
    }
    operation.heirOf = this.#find(operation, name, isOwn);
  }

  /**
   * Returns what the items of a call of `ctx.parallel` have in common, if the parent made the same call with the same items.
   * @param chain That of the code that calls it.
   */
  call(chain: ItemChain | undefined): Omit<ItemChain, "item"> | undefined {
    const outer = liveOf(chain);
    return (this.#order ?? outer) ? { names: (outer && chain?.names) ?? "", outer } : undefined;
  }

  /** Records that the outcome of an operation is delivered now. Returns the operation's lineage. */
  received(operation: OpenOperation): string {
    this.#last = operation.line;
    this.#received.add(this.#last);
    if (this.#order && this.#count >= this.#order.after && this.#next() !== operation.id) this.#order = undefined;
    this.#count += 1;
    return this.#last;
  }

  /** Returns the operation whose outcome the parent's function received next, or after `ahead` others. */
  #next(ahead = 0): OperationId | undefined {
    const order = this.#order;
    return order?.ops[this.#count - order.after + ahead];
  }

  /**
   * Returns those of the new operations without a body that are announced now. An outcome is taken over when those have been
   * delivered that the parent's function received before it, and waits open after that.
   * @param holds Whether the outcome of this operation is worth waiting for.
   */
  inTurn(operations: OpenOperation[], holds: (op: OperationId) => boolean): OpenOperation[] {
    const heirs = new Map(operations.map((one) => [one.heirOf, one]));
    heirs.delete(undefined);
    const now: OpenOperation[] = [];
    let next = this.#next();
    for (let heir = heirs.get(next); heir !== undefined; heir = heirs.get(next)) {
      now.push(heir);
      next = this.#next(now.length);
    }
    return now.length > 0 || (next !== undefined && heirs.size > 0 && holds(next)) ? now : operations;
  }

  /** `isOwn`: only the code of this item can request the operation here. */
  #find({ id, request, line }: OpenOperation, name: string, isOwn: boolean): OpenOperation["heirOf"] {
    if (this.#byId.has(id)) return id;
    const named = this.#byName.get(name);
    let found: InheritedPlace | undefined;
    let near = false;
    for (const one of named ?? []) {
      const isHere = one.line === line;
      const isNear = one.line === undefined || isHere || this.#isPassed(one);
      near ||= isNear;
      if (isHere && (isOwn || this.#isSame(one, id))) found = one;
      // A caller means the step of this name, wherever it is now (RES2).
      else if (isNear && one.seeded) found ??= one;
    }
    if (found === undefined) return near && request.type === "step" && request.step.once ? "" : undefined;
    named?.delete(found);
    return found.op;
  }

  /** Whether the code that requests the operation is the parent's, whatever branches share. */
  #isSame({ op, received }: InheritedPlace, id: OperationId): boolean {
    return op === id && (received === undefined || (this.#order !== undefined && received === this.#count));
  }

  /** Whether the function has passed the place where the parent's function requested the operation. */
  #isPassed({ after }: InheritedPlace): boolean {
    return after !== this.#last && this.#received.has(after);
  }
}

/** Returns the innermost item that the code belongs to. After the end of an item others may continue with its outcomes. */
function liveOf(chain: ItemChain | undefined): ItemChain | undefined {
  return chain?.item.over ? liveOf(chain.outer) : chain;
}

function nameOf(op: OperationId): string {
  const { kind, name } = parseOperationId(op);
  return `${kind}/${name}`;
}
