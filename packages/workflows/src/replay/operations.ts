/**
 * What the function asked for.
 *
 * Owns: numbering (REP3), which operations are open, fresh or waiting for their next attempt, and what is refused.
 *
 * Invariants
 * - O1 An operation that is refused because the run is over or turns back is not counted: it is as if it was not asked.
 */
import {
  type ExecutionStart,
  HoldfastError,
  type JournalEntry,
  LIMITS,
  type OperationEvents,
  type OperationId,
  type OperationKind,
  UNWIND,
  describeOperation,
  operationId,
} from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";
import { currentStep } from "./step-scope.ts";
import { OpenOperation, type Request, type StepRequest, type UnwindRequest } from "./operation.ts";
import { nestedOperationError } from "./step-body.ts";

/** A step that was completed and declared how to undo it. */
export interface CompletedStep {
  readonly operation: OpenOperation;
  readonly value: string;
}

export class Operations {
  readonly #asked = new Map<OperationId, OpenOperation>();
  readonly #occurrences = new Map<string, number>();
  readonly #inherited: Set<OperationId>;
  readonly #moved: () => void;
  /** Which step's failure an error is (RES1). */
  readonly #failures = new WeakMap<object, OperationId>();
  /** Asked for and not yet begun, in order. */
  #fresh: OpenOperation[] = [];
  /** Steps that wait for their next attempt. */
  readonly #retrying = new Set<OpenOperation>();
  /** Steps that can be undone, in the order in which they were completed. */
  readonly completed: CompletedStep[] = [];
  /** Whether a step was asked for that can be undone. */
  compensable = false;
  #refusal: Error | undefined;
  /** The run turns back: only what undoes it is heard. */
  #closed = false;
  /** Asked for and not answered. */
  open = 0;
  /** How it stood when the function last got an outcome. */
  #before = { open: 0, asked: 0 };

  /** `moved` is called when something was asked for. */
  constructor(start: ExecutionStart, moved: () => void) {
    this.#inherited = new Set(start.inherited);
    this.#moved = moved;
  }

  get asked(): number {
    return this.#asked.size;
  }

  /**
   * Whether an operation is all that the function can be busy with: nothing else is open, nothing else was open when
   * the function last got an outcome, and it asked for this one since.
   */
  isPlainSequence(nth: number): boolean {
    return this.open === 1 && this.#before.open === 0 && nth > this.#before.asked;
  }

  askedIds(): OperationId[] {
    return [...this.#asked.keys()];
  }

  get(op: OperationId): OpenOperation | undefined {
    return this.#asked.get(op);
  }

  /** The id that the next operation of this kind and name will have. */
  nextId(kind: OperationKind, name: string): OperationId {
    return operationId(kind, this.#occurrences.get(`${kind}/${name}`) ?? 0, name);
  }

  /** The step whose failure an error is. */
  stepOf(error: object): OperationId | undefined {
    return this.#failures.get(error);
  }

  /**
   * The function asks for an operation (REP3).
   * @throws HoldfastError `NESTED_OPERATION` inside a step body, `LIMIT_EXCEEDED` beyond what may be open.
   */
  ask(kind: OperationKind, name: string, request: Request): OpenOperation {
    const id = this.nextId(kind, name);
    const inside = currentStep();
    if (inside !== undefined) throw nestedOperationError(describeOperation(id), inside);
    if (this.open >= LIMITS.openOperations) {
      throw new HoldfastError(
        "LIMIT_EXCEEDED",
        `${LIMITS.openOperations} operations are open already, which is the limit. Await some of them first.`,
      );
    }
    const refusal = this.#refusal ?? (this.#closed ? new CancelledError("The run is being undone.") : undefined);
    if (refusal !== undefined) {
      const refused = new OpenOperation(id, kind, 0, request);
      refused.refuse(refusal);
      return refused;
    }
    return this.#register(id, kind, name, request);
  }

  /** The undoing of a step (COMP1): heard until the run is over. */
  askToUndo({ operation }: CompletedStep, step: StepRequest): OpenOperation {
    const [, occurrence = "0", name = ""] = /^step\/(\d+)\/(.*)$/s.exec(operation.id) ?? [];
    return this.#register(operationId("compensation", Number(occurrence), name), "compensation", name, {
      type: "step",
      step,
    });
  }

  /** The turn backwards. From now on only what undoes the run is heard. */
  askToUnwind(unwind: UnwindRequest): OpenOperation {
    const operation = this.#register(UNWIND, "unwind", "run", { type: "unwind", unwind });
    this.close();
    return operation;
  }

  #register(id: OperationId, kind: OperationKind, name: string, request: Request): OpenOperation {
    this.#occurrences.set(`${kind}/${name}`, (this.#occurrences.get(`${kind}/${name}`) ?? 0) + 1);
    const operation = new OpenOperation(id, kind, this.#asked.size + 1, request);
    this.#asked.set(id, operation);
    if (request.type === "step" && request.step.compensate !== undefined) this.compensable = true;
    // A change has no outcome to wait for.
    if (request.type === "metadata") operation.leave();
    else this.open += 1;
    this.#fresh.push(operation);
    this.#moved();
    return operation;
  }

  /** Takes note of an entry that is not an outcome. */
  note(operation: OpenOperation, entry: JournalEntry): void {
    operation.note(entry);
    if (entry.type === "step.retrying") this.#retrying.add(operation);
  }

  /** Settles an operation with its outcome of the journal. */
  settle(operation: OpenOperation, entry: JournalEntry): void {
    this.#retrying.delete(operation);
    if (operation.settled) return;
    this.open -= 1;
    this.#before = { open: this.open, asked: this.asked };
    const error = operation.settle(entry);
    if (error !== undefined) this.#failures.set(error, operation.id);
    const { request } = operation;
    if (entry.type !== "step.completed" || request.type !== "step" || request.step.compensate === undefined) return;
    this.completed.push({ operation, value: entry.value });
  }

  /** The run is over: what is open is rejected, and so is whatever is asked for from now on (CAN3). */
  refuseAll(error: Error): void {
    this.#refusal = error;
    this.rejectOpen(error);
  }

  /** The run turns back: what the code asks for from now on is refused. What it had not begun is forgotten. */
  close(): void {
    this.#closed = true;
    for (const one of this.#retrying) if (one.kind !== "compensation") this.#retrying.delete(one);
    this.#fresh = this.#fresh.filter(({ kind, request }) => isUndoing(kind) || request.type === "metadata");
  }

  /** Rejects what is open, oldest first. */
  rejectOpen(error: Error): void {
    this.#giveUpOpen((operation) => operation.refuse(error));
  }

  /** Forgets what is open: nobody waits for it any more. */
  leaveOpen(): void {
    this.#giveUpOpen((operation) => operation.leave());
  }

  /** What undoes a step goes on: nothing that was begun of it is lost when the run turns back (COMP1). */
  #giveUpOpen(giveUp: (operation: OpenOperation) => void): void {
    const open = [...this.#asked.values()].filter((operation) => !operation.settled);
    const undoing = open.filter((operation) => operation.kind === "compensation");
    for (const operation of open) if (!undoing.includes(operation)) giveUp(operation);
    this.open = undoing.length;
  }

  /** What was asked for and not begun. Steps that are to be executed stay; the rest is taken, to be announced. */
  takeFresh(): OpenOperation[] {
    const isStep = (one: OpenOperation): boolean => this.#isToExecute(one) || one.kind === "unwind";
    const taken = this.#fresh.filter((one) => !isStep(one));
    this.#fresh = this.#fresh.filter(isStep);
    return taken;
  }

  #isToExecute({ request, id, journaled, announced, settled }: OpenOperation): boolean {
    if (request.type !== "step" || settled || this.#inherited.has(id)) return false;
    return !(request.step.once && journaled && !announced);
  }

  isInherited(op: OperationId): boolean {
    return this.#inherited.has(op);
  }

  /** Drops what was never begun: the function has ended. Gives the steps among it. */
  dropSteps(): OperationId[] {
    const dropped = this.#fresh.filter((one) => this.#isToExecute(one) && one.retryAt === undefined);
    this.#fresh = this.#fresh.filter(({ request }) => request.type === "metadata");
    return dropped.map((one) => one.id);
  }

  /** The turn backwards, if it was asked for and not told yet. */
  takeUnwind(): OperationEvents | undefined {
    const operation = this.#fresh.find((one) => one.kind === "unwind" && !one.settled && !one.announced);
    if (operation?.request.type !== "unwind") return undefined;
    operation.announced = true;
    return { type: "run.unwinding", op: operation.id, nth: operation.nth, ...operation.request.unwind };
  }

  putBackUnwind(): void {
    const operation = this.#asked.get(UNWIND);
    if (operation !== undefined) operation.announced = false;
  }

  /** The steps whose bodies may start by `now`. */
  ready(now: number): OpenOperation[] {
    const due = [...this.#retrying].filter((one) => !one.settled && (one.retryAt ?? 0) <= now);
    const fresh = this.#fresh.filter((one) => one.request.type === "step" && one.retryAt === undefined && !one.settled);
    return fresh.length === 0 ? due : [...due, ...fresh];
  }

  /** What is journaled before a body starts: that of a `once` step (DUR3), and each attempt at a stream (STR1). */
  announceBody(operation: OpenOperation, now: number): OperationEvents | undefined {
    const { id, nth, request, announced, kind } = operation;
    if (request.type !== "step" || announced || (!request.step.once && kind !== "stream")) return undefined;
    operation.announced = true;
    if (kind === "stream") return { type: "stream.started", op: id, nth };
    return { type: "step.started", op: id, nth, startedAt: now };
  }

  /** The body starts: what is to be executed. */
  begin(operation: OpenOperation): StepRequest | undefined {
    this.#retrying.delete(operation);
    const place = this.#fresh.indexOf(operation);
    if (place >= 0) this.#fresh.splice(place, 1);
    operation.announced = false;
    return operation.request.type === "step" ? operation.request.step : undefined;
  }
}

function isUndoing(kind: OperationKind): boolean {
  return kind === "unwind" || kind === "compensation";
}
