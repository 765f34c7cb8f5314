/**
 * One execution of a workflow function: the replay scheduler.
 *
 * Owns: what the function asked for, the order in which it gets outcomes, and when step bodies start.
 * Tells its neighbours: it reports events through the port and is told of news by the orchestrator. The function knows
 * nothing of it: an operation is a promise that settles when the journal says so, and nothing is ever thrown into user
 * code to stop it (REP7).
 *
 * Invariants
 * - X1 Outcomes are handed to the function one at a time, in journal order, live and on replay alike (REP2).
 * - X2 Before an outcome is handed over the function has settled: for a whole turn if several operations are open.
 * - X3 No body starts before the whole journal has been handed over, and all that was said is durable (DUR2, REP5).
 * - X4 An outcome that comes from here is handed over only after the orchestrator journaled it (E3).
 */
import {
  type AbortReason,
  type ExecutionPort,
  type ExecutionStart,
  type ExecutionUpdate,
  HoldfastError,
  type JournalEntry,
  LIMITS,
  type LiveExecution,
  type OperationEvents,
  type OperationId,
  type OperationKind,
  type StepInProgress,
  describeOperation,
  isOutcome,
  operationId,
  toErrorValue,
} from "@holdfast/protocol";
import { CancelledError } from "../authoring/errors.ts";
import type { Log } from "../authoring/types.ts";
import { divergence } from "./divergence.ts";
import { JournalFeed } from "./journal-feed.ts";
import { currentStep } from "./nesting.ts";
import { OpenOperation, type Request, type StepRequest } from "./operation.ts";
import type { Platform } from "./platform.ts";
import { Reporter } from "./reporter.ts";
import { type FunctionEnd, endEvent } from "./run-end.ts";
import { type SettledLevel, Settling } from "./settling.ts";
import { StepBody, interruptedEvent, nestedOperationError } from "./step-body.ts";

/** How long a function may await something that is not an operation before a replay that waits for it is given up. */
const FOREIGN_AWAIT_MS_MAX = 10_000;

/** What the scheduler does next. */
type Next = "again" | "short" | "turn" | "rest";

export class Execution implements LiveExecution {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly log: Log;
  readonly controller: AbortController = new AbortController();
  /** The time of the newest outcome that the function has seen (REP4). */
  functionTime: number;

  readonly #port: ExecutionPort;
  readonly #reporter: Reporter;
  readonly #settling: Settling;
  readonly #feed: JournalFeed;
  readonly #occurrences = new Map<string, number>();
  readonly #asked = new Map<OperationId, OpenOperation>();
  readonly #seeds: Map<string, string>;
  /** Which step's failure an error is (RES1). */
  readonly #failures = new WeakMap<object, OperationId>();
  /** Asked for and not yet begun, in order. */
  #fresh: OpenOperation[] = [];
  /** Steps that wait for their next attempt. */
  readonly #retrying = new Set<OpenOperation>();
  readonly #bodies = new Map<OperationId, StepBody>();
  #open = 0;
  #now: number;
  #end: FunctionEnd | undefined;
  #aborted: Error | undefined;
  #parked = false;
  #stopped = false;
  #scheduling = false;
  #cancelTimer: (() => void) | undefined;
  #graceOver = false;

  constructor(start: ExecutionStart, port: ExecutionPort, platform: Platform, log: (execution: Execution) => Log) {
    this.start = start;
    this.platform = platform;
    this.#port = port;
    this.#now = start.now;
    this.functionTime = start.clockStart;
    this.#feed = new JournalFeed(start.journal);
    this.#seeds = new Map(start.seedResults);
    this.#settling = new Settling(platform);
    this.#reporter = new Reporter(port, start.epoch, this);
    this.log = log(this);
  }

  /** Begins: calls the function in a later turn and takes care of it until it ends or is stopped (E1). */
  begin(run: () => Promise<string>): void {
    void this.platform.turn().then(() => {
      if (this.#stopped) return;
      run().then(
        (output) => this.#ended({ type: "completed", output }),
        (error) => this.#ended({ type: "failed", error }),
      );
      this.#schedule();
    });
  }

  get asked(): number {
    return this.#asked.size;
  }

  /** True while the function runs through what the journal holds. */
  get replaying(): boolean {
    return this.#stopped || this.#feed.peek() !== undefined;
  }

  /** An id that the journal holds for a token wait, or a new one (WAIT7). */
  tokenIdFor(occurrence: number): string {
    const op = operationId("token", occurrence, "token");
    for (const entry of this.#feed.rest()) {
      if (entry.type === "wait.opened" && entry.op === op && entry.tokenId !== undefined) return entry.tokenId;
    }
    return this.platform.randomId();
  }

  /** How often an operation of this kind and name was asked for so far. */
  occurrencesOf(kind: OperationKind, name: string): number {
    return this.#occurrences.get(`${kind}/${name}`) ?? 0;
  }

  /**
   * The function asks for an operation (REP3).
   * @throws HoldfastError `NESTED_OPERATION` inside a step body, `LIMIT_EXCEEDED` beyond what may be open.
   */
  ask(kind: OperationKind, name: string, request: Request): OpenOperation {
    const inside = currentStep();
    if (inside !== undefined)
      throw nestedOperationError(`ctx: ${describeOperation(operationId(kind, 0, name))}`, inside);
    if (this.#open >= LIMITS.openOperations) {
      throw new HoldfastError(
        "LIMIT_EXCEEDED",
        `${LIMITS.openOperations} operations are open already, which is the limit. Await some of them first.`,
      );
    }
    const occurrence = this.occurrencesOf(kind, name);
    this.#occurrences.set(`${kind}/${name}`, occurrence + 1);
    const operation = new OpenOperation(operationId(kind, occurrence, name), kind, this.#asked.size + 1, request);
    this.#asked.set(operation.id, operation);
    if (this.#aborted !== undefined) {
      operation.refuse(this.#aborted);
      return operation;
    }
    this.#open += 1;
    this.#fresh.push(operation);
    this.#settling.moved();
    this.#schedule();
    return operation;
  }

  // What the orchestrator says.

  update(news: ExecutionUpdate): void {
    this.accepted(news);
    this.#parked = false;
    this.#schedule();
  }

  accepted(news: ExecutionUpdate): void {
    this.#now = Math.max(this.#now, news.now);
    if (news.entries.length > 0) {
      this.#feed.receive(news.entries);
      this.#schedule();
    }
  }

  refused(): void {
    this.#stop(new CancelledError("This execution was superseded."));
  }

  abort(reason: AbortReason): void {
    const error = abortError(reason);
    this.#stop(error);
    if (reason.type === "superseded") return;
    // Code may tidy up: what it awaits is rejected, and whatever it asks for from now on is refused (CAN3).
    this.#aborted = error;
    for (const operation of this.#asked.values()) {
      if (!operation.settled) operation.refuse(error);
    }
  }

  stepsInProgress(): StepInProgress[] {
    return [...this.#bodies.values()].map((body) => body.inProgress);
  }

  #stop(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelTimer?.();
    for (const body of this.#bodies.values()) {
      body.abandon();
      body.abort(error);
    }
    this.#bodies.clear();
    this.controller.abort(error);
  }

  #ended(end: FunctionEnd): void {
    this.#end = end;
    this.#settling.moved();
    this.#schedule();
  }

  // The scheduler. One loop; each round does one thing.

  #schedule(): void {
    if (this.#scheduling || this.#stopped) return;
    this.#scheduling = true;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    // The caller finishes what it is at first: the loop never runs inside user code.
    await Promise.resolve();
    try {
      for (;;) {
        const next: Next = this.#stopped ? "rest" : this.#next();
        if (next === "rest") break;
        if (next === "short") await this.#settling.short();
        else if (next === "turn") await this.#settling.turn();
      }
    } catch (error) {
      // A fault of the engine, or a journal that it cannot read: the run is dispatched again, later (DUR8).
      this.#stop(new CancelledError("The execution failed."));
      this.#port.lost(toErrorValue(error));
    }
    this.#scheduling = false;
  }

  #next(): Next {
    const { level } = this.#settling;
    const entry = this.#feed.peek();
    if (entry !== undefined) return this.#handOver(entry, level);
    if (level === "moving") return "short";
    if (this.#end !== undefined) return this.#conclude(this.#end);
    this.#announceFresh();
    // Accepting a report may have brought entries: they come first (X3).
    if (this.#stopped || this.#feed.peek() !== undefined) return "again";
    if (this.#startBodies()) return "again";
    return this.#park(level);
  }

  /** Takes the oldest entry, if the function is ready for it (X1, X2). */
  #handOver(entry: JournalEntry, level: SettledLevel): Next {
    const operation = this.#asked.get(entry.op);
    if (operation === undefined || this.asked < entry.asked) {
      if (level !== "turn") return level === "moving" ? "short" : "turn";
      const overdue = operation === undefined && this.asked >= entry.asked;
      if (overdue || this.#end !== undefined) return this.#diverge(entry);
      return this.#awaitFunction(entry);
    }
    if (!isOutcome(entry)) {
      operation.note(entry);
      if (entry.type === "step.retrying") this.#retrying.add(operation);
      this.#feed.take();
      return "again";
    }
    if (this.#open > 1 && level !== "turn") return "turn";
    if (level === "moving") return "short";
    this.#feed.take();
    this.#settle(operation, entry);
    return "again";
  }

  #settle(operation: OpenOperation, entry: JournalEntry): void {
    if (operation.settled) return;
    this.#open -= 1;
    this.#parked = false;
    this.#retrying.delete(operation);
    this.functionTime = Math.max(this.functionTime, entry.at);
    this.#settling.moved();
    const error = operation.settle(entry);
    if (error !== undefined) this.#failures.set(error, operation.id);
  }

  /** The function awaits something of its own before it asks for what comes next. It gets some time for that. */
  #awaitFunction(entry: JournalEntry): Next {
    this.#cancelTimer ??= this.platform.setTimer(FOREIGN_AWAIT_MS_MAX, () => {
      if (this.#feed.peek() === entry && !this.#stopped) this.#diverge(entry);
    });
    return "rest";
  }

  #diverge(entry: JournalEntry): Next {
    const asked = [...this.#asked.keys()];
    this.#say({ type: "run.diverged", error: divergence(entry, asked, this.#end !== undefined) });
    this.#stop(new CancelledError("The run is paused: its code and its journal disagree."));
    return "rest";
  }

  // Beginning what was asked for.

  /** Tells of new waits, given results and interrupted `once` steps; leaves the steps that are to be executed. */
  #announceFresh(): void {
    const steps: OpenOperation[] = [];
    for (const operation of this.#fresh) {
      if (operation.settled) continue;
      const { id, nth, request, journaled } = operation;
      if (request.type === "wait") {
        if (!journaled) this.#reporter.add({ type: "wait.opened", op: id, nth, ...request.wait });
        continue;
      }
      const seed = this.#seedFor(operation);
      const startedAt = this.platform.now();
      if (seed !== undefined) {
        this.#reporter.add({ type: "step.completed", op: id, nth, attempt: 0, startedAt, value: seed, seeded: true });
      } else if (request.step.once && journaled && !operation.announced) {
        this.#reporter.add(interruptedEvent(operation, startedAt));
      } else if (operation.retryAt === undefined) {
        steps.push(operation);
      }
    }
    this.#fresh = steps;
  }

  #seedFor({ id }: OpenOperation): string | undefined {
    const prefix = operationId("step", 0, "");
    return this.#seeds.size > 0 && id.startsWith(prefix) ? this.#seeds.get(id.slice(prefix.length)) : undefined;
  }

  /** Starts the bodies whose time has come. False: there are none, or what was said is not durable yet (X3). */
  #startBodies(): boolean {
    const due = [...this.#retrying].filter((operation) => (operation.retryAt ?? 0) <= this.#now);
    const ready = this.#fresh.length === 0 ? due : [...due, ...this.#fresh];
    if (ready.length === 0) return false;
    for (const operation of ready) this.#announceOnce(operation);
    if (this.#parked) this.#reporter.add({ type: "unparked" });
    this.#parked = false;
    this.#reporter.flush();
    // The answer comes later, or brought entries that say more: the next round sees.
    if (this.#stopped || !this.#reporter.idle) return false;
    if (this.#feed.peek() !== undefined) return true;
    this.#fresh = [];
    for (const operation of ready) {
      this.#retrying.delete(operation);
      if (operation.request.type === "step") this.#startBody(operation, operation.request.step);
    }
    return true;
  }

  /** A `once` step is journaled before its body starts (DUR3). */
  #announceOnce(operation: OpenOperation): void {
    const { id, nth, request, announced } = operation;
    if (request.type !== "step" || !request.step.once || announced) return;
    operation.announced = true;
    this.#reporter.add({ type: "step.started", op: id, nth, startedAt: this.platform.now() });
  }

  #startBody(operation: OpenOperation, step: StepRequest): void {
    const body = new StepBody(operation, step, {
      platform: this.platform,
      idempotencyKey: `${this.start.run.id}/${operation.id}`,
      log: this.log,
      ended: (event) => this.#bodyEnded(event),
    });
    this.#bodies.set(operation.id, body);
    body.start();
  }

  #bodyEnded(event: OperationEvents): void {
    this.#bodies.delete(event.op);
    this.#say(event);
    this.#schedule();
  }

  #say(event: Parameters<Reporter["add"]>[0]): void {
    this.#reporter.add(event);
    this.#reporter.flush();
  }

  // Resting and ending.

  /** With nothing left to do the run is parked, when the function has surely settled (RUN1). */
  #park(level: SettledLevel): Next {
    const idle = this.#bodies.size === 0 && this.#open > 0 && !this.#parked;
    if (idle && level !== "turn") return "turn";
    if (idle) {
      this.#parked = true;
      this.#reporter.add({ type: "parked", seq: this.#feed.lastSeq });
    }
    this.#reporter.flush();
    return this.#feed.peek() === undefined ? "rest" : "again";
  }

  /** The function has ended: bodies that still execute are stopped and awaited for a while (STEP6), then it is told. */
  #conclude(end: FunctionEnd): Next {
    if (this.#bodies.size > 0 && !this.#graceOver) {
      this.#awaitBodies();
      return "rest";
    }
    this.#reporter.flush();
    if (!this.#reporter.idle) return "rest";
    if (this.#feed.peek() !== undefined) return "again";
    this.#say(endEvent(end, this.start, (error) => this.#failures.get(error)));
    this.#stop(new CancelledError("The run has ended."));
    return "rest";
  }

  #awaitBodies(): void {
    if (this.#cancelTimer !== undefined) return;
    for (const body of this.#bodies.values()) body.abort(new CancelledError("The run is ending."));
    this.#cancelTimer = this.platform.setTimer(LIMITS.siblingGraceMs, () => {
      this.#graceOver = true;
      this.#schedule();
    });
  }
}

function abortError(reason: AbortReason): CancelledError {
  switch (reason.type) {
    case "superseded":
      return new CancelledError("This execution was superseded.");
    case "cancelled":
      return new CancelledError(
        reason.reason === undefined ? "The run was cancelled." : `The run was cancelled: ${reason.reason}`,
      );
    case "timed_out":
      return new CancelledError(`The run's time budget of ${reason.timeoutMs} ms is used up.`);
  }
}
