/**
 * The operations that the function requested.
 *
 * Owns: numbering (REP3), the places of requests (RES3), the rejection of operations, and the sets of operations: open
 * ones, new ones, and ones that wait for their next attempt.
 *
 * Invariants
 * - O1 An operation that is rejected because the run has ended or unwinds is not counted.
 */
import {
  type ExecutionStart,
  HoldfastError,
  type JournalEntry,
  type OperationEvents,
  type OperationId,
  type OperationKind,
  UNWIND,
  describeOperation,
  operationId,
  parseOperationId,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { CancelledError } from "../errors.ts";
import { Inheritance } from "./inheritance.ts";
import { type Shield, currentShield, currentStep } from "./step-scope.ts";
import {
  type ItemChain,
  OpenOperation,
  type Origin,
  type Place,
  type Request,
  type StepRequest,
  type UnwindRequest,
} from "./operation.ts";
import { nestedOperationError, shieldedError } from "./step-body.ts";
import { StepPlaces } from "./step-places.ts";

/** A completed step with a compensation. */
export interface CompletedStep {
  readonly operation: OpenOperation;
  readonly value: string;
}

/** Calls a function that starts an item of `ctx.parallel`. The caller sets `over` when the item has ended. */
export type ItemStarter = <T>(item: ItemChain["item"], start: () => T) => T;

function originAt(after: number, nth: number, line: string): Origin {
  return { after, nth, uses: new Map(), first: 0, calls: 0, line };
}

export class Operations {
  /** The operations without a delivered outcome. The function alone holds the others, and their values. */
  readonly #all = new Map<OperationId, OpenOperation>();
  readonly #ids: OperationId[] = [];
  readonly #occurrences = new Map<string, number>();
  /** Only in a resumed run. */
  readonly #inheritance: Inheritance | undefined;
  readonly #moved: (operation: OpenOperation) => void;
  readonly #own: (error: Error) => void;
  /** The failed step of each error (RES1). */
  readonly #failures = new WeakMap<object, OperationId>();
  /** Requested operations that have not started, in order. */
  #fresh: OpenOperation[] = [];
  /** Steps that wait for their next attempt. */
  readonly #retrying = new Set<OpenOperation>();
  readonly places: StepPlaces;
  /** Completed steps with compensations, in order of completion. */
  readonly completed: CompletedStep[] = [];
  /** Whether any requested step has a compensation. */
  compensable = false;
  #rejection: Error | undefined;
  /** The run unwinds: only compensations are accepted. */
  #closed = false;
  #refused = 0;
  /** The number of requested operations without an outcome. */
  open = 0;
  /** Open and requested counts at the last delivered outcome. */
  #before = { open: 0, count: 0 };
  /** The last delivered outcome. */
  #origin: Origin = originAt(0, 0, "");
  /** The item of `ctx.parallel` whose code executes. */
  #chain: ItemChain | undefined;
  #newest: Place | undefined;

  /** `moved` is called for each requested operation, `own` with each error before an operation rejects with it. */
  constructor(start: ExecutionStart, moved: (operation: OpenOperation) => void, own: (error: Error) => void) {
    this.#own = own;
    this.#inheritance = Inheritance.of(start);
    this.places = new StepPlaces(start.admitted);
    this.#moved = moved;
  }

  /** The number of operations requested so far. */
  get count(): number {
    return this.#ids.length;
  }

  /**
   * Returns whether an operation is the only one that the function can await: no other operation is open, none was open
   * at the last delivered outcome, and the function requested this one after that outcome.
   */
  isPlainSequence(nth: number): boolean {
    return this.open === 1 && this.#before.open === 0 && nth > this.#before.count;
  }

  ids(): readonly OperationId[] {
    return this.#ids;
  }

  get(op: OperationId): OpenOperation | undefined {
    return this.#all.get(op);
  }

  /** Returns the id of the next operation with this kind and name. */
  nextId(kind: OperationKind, name: string): OperationId {
    return operationId(kind, this.#occurrences.get(`${kind}/${name}`) ?? 0, name);
  }

  /** Returns the step that failed with this error. */
  stepOf(error: object): OperationId | undefined {
    return this.#failures.get(error);
  }

  /**
   * Registers an operation that the function requests (REP3).
   * @throws HoldfastError `NESTED_OPERATION` inside a step body, `LIMIT_EXCEEDED` if too many operations are open.
   */
  request(
    kind: OperationKind,
    name: string,
    request: Request,
    shield: Shield | undefined = currentShield(),
  ): OpenOperation {
    const id = this.nextId(kind, name);
    const inside = currentStep();
    if (inside !== undefined) throw nestedOperationError(describeOperation(id), inside);
    if (shield !== undefined && kind !== "step") throw shieldedError(describeOperation(id));
    if (this.open >= LIMITS.openOperations) {
      throw new HoldfastError(
        "LIMIT_EXCEEDED",
        `${LIMITS.openOperations} operations are open already, which is the limit. Await some of them first.`,
      );
    }
    const closed = this.#closed && shield?.open !== true;
    const rejection = this.#rejection ?? (closed ? new CancelledError("The run is unwinding.") : undefined);
    if (rejection !== undefined) {
      this.#own(rejection);
      const refused = new OpenOperation(id, kind, 0, request);
      // A loop that catches each rejection and asks again would never let other code of its process execute.
      if (this.#refused++ < LIMITS.openOperations) refused.reject(rejection);
      return refused;
    }
    return this.#register(id, kind, name, request, shield);
  }

  /** Registers the compensation of a step (COMP1). It is accepted until the run has ended. */
  requestCompensation({ operation }: CompletedStep, step: StepRequest): OpenOperation {
    const { occurrence, name } = parseOperationId(operation.id);
    return this.#register(operationId("compensation", occurrence, name), "compensation", name, {
      type: "step",
      step,
    });
  }

  /** Registers the unwinding of the run. From now on only compensations are accepted. */
  requestUnwind(unwind: UnwindRequest): OpenOperation {
    const operation = this.#register(UNWIND, "unwind", "run", { type: "unwind", unwind });
    this.close();
    return operation;
  }

  #register(id: OperationId, kind: OperationKind, name: string, request: Request, shield?: Shield): OpenOperation {
    const key = `${kind}/${name}`;
    this.#occurrences.set(key, (this.#occurrences.get(key) ?? 0) + 1);
    const operation = new OpenOperation(id, kind, this.count + 1, request, this.#placeOf(key));
    operation.shield = shield;
    this.#all.set(id, operation);
    this.#ids.push(id);
    this.#inheritance?.requested(operation, this.#origin.line);
    if (request.type === "step" && request.step.compensate !== undefined) this.compensable = true;
    // A metadata change has no outcome.
    if (request.type === "metadata") operation.leave();
    else this.open += 1;
    this.#fresh.push(operation);
    this.#moved(operation);
    return operation;
  }

  #placeOf(key: string): Place {
    const { after, nth, uses, first } = this.#origin;
    const use = uses.get(key) ?? first;
    uses.set(key, use + 1);
    // The place of a request that a call started does not follow from the one before it.
    const before = first > 0 ? undefined : this.#newest;
    this.#newest = { after, use, follows: nth === this.count, before, reported: false, chain: this.#chain };
    return this.#newest;
  }

  /**
   * Returns a function that starts an item of a call of `ctx.parallel`. If items wait for room, what an item requests at once
   * counts from the call: which outcome made room differs between a run and those that are resumed from it (RES3).
   */
  starter(waits: boolean): ItemStarter {
    const outer = this.#origin;
    let call = outer;
    if (waits) {
      outer.calls += 1;
      call = { ...originAt(outer.after, 0, outer.line), first: outer.first * 1_000 + outer.calls * 1_000_000 };
    }
    const chain = this.#inheritance?.call(this.#chain);
    return (item, start) => {
      const before = [this.#origin, this.#chain] as const;
      this.#origin = call;
      this.#chain = chain && { ...chain, item };
      try {
        return start();
      } finally {
        [this.#origin, this.#chain] = before;
      }
    };
  }

  /** Records an entry that is not an outcome. */
  note(operation: OpenOperation, entry: JournalEntry): void {
    operation.note(entry);
    // A metadata change has no outcome.
    if (operation.kind === "metadata") this.#forget(operation);
    if (entry.type !== "step.retrying") return;
    this.#retrying.add(operation);
    this.places.ended(operation.id);
  }

  /** Releases the memory of an operation about which no entry follows. */
  #forget(operation: OpenOperation): void {
    if (operation.kind === "unwind") return;
    this.#all.delete(operation.id);
    this.#dropFresh(operation);
  }

  #dropFresh(operation: OpenOperation): void {
    const place = this.#fresh.indexOf(operation);
    if (place >= 0) this.#fresh.splice(place, 1);
  }

  /** Settles an operation with its journaled outcome. */
  settle(operation: OpenOperation, entry: JournalEntry): void {
    this.#retrying.delete(operation);
    this.places.ended(operation.id);
    if (operation.settled) return;
    this.open -= 1;
    this.#before = { open: this.open, count: this.count };
    this.#origin = originAt(entry.seq, operation.nth, this.#inheritance?.received(operation) ?? "");
    this.#chain = operation.place.chain && { ...operation.place.chain };
    this.#forget(operation);
    const error = operation.settle(entry);
    if (error !== undefined) {
      this.#own(error);
      this.#failures.set(error, operation.id);
    }
    const { request } = operation;
    if (entry.type !== "step.completed" || request.type !== "step" || request.step.compensate === undefined) return;
    this.completed.push({ operation, value: entry.value });
  }

  /** Ends a step whose body does not execute: no attempt starts any longer, and the next report says that it failed. */
  withdraw(operation: OpenOperation, error: Error): void {
    operation.withdrawn = error;
    this.#retrying.delete(operation);
    if (!this.#fresh.includes(operation)) this.#fresh.push(operation);
  }

  /** Rejects all open and all later operations: the run has ended (CAN3). */
  rejectAll(error: Error): void {
    this.#rejection = error;
    this.rejectOpen(error);
  }

  /** The run unwinds: rejects later operations, and drops new ones except metadata changes. */
  close(): void {
    this.#closed = true;
    for (const one of this.#retrying) if (!one.survives) this.#retrying.delete(one);
    this.#fresh = this.#fresh.filter(
      ({ kind, request, survives }) => kind === "unwind" || survives || request.type === "metadata",
    );
  }

  /** Rejects the open operations, oldest first. */
  rejectOpen(error: Error): void {
    this.#own(error);
    this.#settleOpen((operation) => operation.reject(error));
  }

  /** Leaves the promises of the open operations pending: the function no longer awaits them. */
  leaveOpen(): void {
    this.#settleOpen((operation) => operation.leave());
  }

  /** Settles all open operations except compensations, which continue when the unwinding begins (COMP1), and shielded steps. */
  #settleOpen(settle: (operation: OpenOperation) => void): void {
    this.open = 0;
    for (const operation of this.#all.values()) {
      if (operation.settled) continue;
      if (operation.survives) this.open += 1;
      else settle(operation);
    }
  }

  /**
   * Removes and returns the new operations that execute no body. The steps to execute and the unwinding stay, and so does
   * what takes over an outcome later. `holds`: whether the outcome of an operation is worth waiting for.
   */
  takeFresh(holds: (op: OperationId) => boolean): ReadonlySet<OpenOperation> {
    const ready = this.#fresh.filter((one) => !this.#isToExecute(one) && one.kind !== "unwind");
    const taken = new Set(this.#inheritance?.inTurn(ready, holds) ?? ready);
    this.#fresh = this.#fresh.filter((one) => !taken.has(one));
    return taken;
  }

  /** Whether an operation without a body is announced in a later round than the current one. */
  isLate(operation: OpenOperation): boolean {
    return this.#fresh.includes(operation) && !this.#isToExecute(operation);
  }

  #isToExecute({ request, heirOf, journaled, announced, settled, withdrawn }: OpenOperation): boolean {
    if (request.type !== "step" || settled || withdrawn !== undefined || heirOf !== undefined) return false;
    return !(request.step.once && journaled && !announced);
  }

  /** The function has ended: drops new operations except metadata changes. Returns the dropped steps. */
  dropSteps(): OperationId[] {
    const dropped = this.#fresh.filter((one) => this.#isToExecute(one) && one.retryAt === undefined);
    this.#fresh = this.#fresh.filter(({ request }) => request.type === "metadata");
    return dropped.map((one) => one.id);
  }

  /** Returns the event of the unwinding if it was requested and not announced, and marks it as announced. */
  takeUnwind(): OperationEvents | undefined {
    const operation = this.#fresh.find((one) => one.kind === "unwind" && !one.settled && !one.announced);
    if (operation?.request.type !== "unwind") return undefined;
    operation.announced = true;
    return { type: "run.unwinding", ...operation.about(), ...operation.request.unwind };
  }

  /** Marks the unwinding as not announced. */
  putBackUnwind(): void {
    const operation = this.#all.get(UNWIND);
    if (operation !== undefined) operation.announced = false;
  }

  /** Returns the steps whose bodies may start at `now`, or that must ask for a place first. */
  ready(now: number): OpenOperation[] {
    const due = [...this.#retrying].filter((one) => !one.settled && (one.retryAt ?? 0) <= now);
    const fresh = this.#fresh.filter((one) => one.retryAt === undefined && this.#isToExecute(one));
    const ready = fresh.length === 0 ? due : [...due, ...fresh];
    return ready.filter((one) => !this.places.waits(one));
  }

  /** Returns the event that precedes the body of a `once` step (DUR3) and each attempt of a stream (STR1). */
  announceBody(operation: OpenOperation, now: number): OperationEvents | undefined {
    const { request, announced, kind } = operation;
    if (request.type !== "step" || announced || (!request.step.once && kind !== "stream")) return undefined;
    operation.announced = true;
    if (kind === "stream") return { type: "stream.started", ...operation.about() };
    return { type: "step.started", ...operation.about(), startedAt: now };
  }

  /** Records the start of the body, and returns the step to execute. */
  begin(operation: OpenOperation): StepRequest | undefined {
    this.#retrying.delete(operation);
    this.#dropFresh(operation);
    this.places.began(operation);
    operation.announced = false;
    return operation.request.type === "step" ? operation.request.step : undefined;
  }
}
