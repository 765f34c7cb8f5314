/**
 * One execution of a workflow function: the replay scheduler.
 *
 * Owns: the order in which the function gets outcomes, when step bodies start, and when the run parks, turns back or
 * ends.
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
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionStart,
  type ExecutionUpdate,
  type JournalEntry,
  type LiveExecution,
  PROTOCOL_VERSION,
  type StepInProgress,
  describeOperation,
  errorValue,
  isOutcome,
  toErrorValue,
} from "@holdfast/protocol";
import { CancelledError } from "../authoring/errors.ts";
import { isInputRefusal } from "../authoring/schema.ts";
import type { Log } from "../authoring/types.ts";
import { announcements } from "./announcements.ts";
import { Bodies } from "./bodies.ts";
import { divergence } from "./divergence.ts";
import { JournalFeed } from "./journal-feed.ts";
import type { OpenOperation } from "./operation.ts";
import { Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import { Reporter } from "./reporter.ts";
import { type FunctionEnd, endEvent } from "./run-end.ts";
import { type SettledLevel, Settling } from "./quiescence.ts";
import { Unwinding } from "./unwinding.ts";

/** How long a function may await something that is not an operation before a replay that waits for it is given up. */
const FOREIGN_AWAIT_MS_MAX = 10_000;

/** What the scheduler does next. */
type Next = "again" | "short" | "turn" | "at once" | "rest";

export class Execution implements LiveExecution {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly log: Log;
  readonly controller: AbortController = new AbortController();
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly unwinding: Unwinding;
  /** The time of the newest outcome that the function has seen (REP4). */
  functionTime: number;

  readonly #port: ExecutionPort;
  readonly #reporter: Reporter;
  readonly #settling: Settling;
  readonly #feed: JournalFeed;
  #now: number;
  #end: FunctionEnd | undefined;
  #paused: boolean;
  #parked = false;
  /** The time in which a body ends at once has passed since the last outcome. */
  #passedAtOnce = false;
  #stopped = false;
  /** Superseded: another execution says what there is to say. */
  #muted = false;
  #scheduling = false;
  #function: Promise<void> | undefined;
  #cancelForeignWait: (() => void) | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, platform: Platform, log: (execution: Execution) => Log) {
    this.start = start;
    this.platform = platform;
    this.#port = port;
    this.#now = start.now;
    this.#paused = start.paused;
    this.functionTime = start.clockStart;
    this.#feed = new JournalFeed(start.journal);
    this.#settling = new Settling(platform);
    this.#reporter = new Reporter(port, start.epoch, this);
    this.operations = new Operations(start, () => {
      this.#settling.moved();
      this.#schedule();
    });
    this.bodies = new Bodies(platform, start.run, (event) => {
      this.#say(event);
      this.#schedule();
    });
    this.unwinding = new Unwinding(this);
    this.log = log(this);
  }

  /** Begins: calls the function in a later turn and takes care of it until it ends or is stopped (E1). */
  begin(run: () => Promise<string>): void {
    if (this.start.protocol !== PROTOCOL_VERSION) return this.#refuseProtocol();
    void this.platform.turn().then(() => {
      if (this.#stopped) return;
      this.#function = run().then(
        (output) => this.leave({ type: "completed", output }),
        (error) => this.leave({ type: "failed", error }),
      );
      this.#schedule();
    });
  }

  get asked(): number {
    return this.operations.asked;
  }

  /** True while the function runs through what the journal holds. */
  get replaying(): boolean {
    return this.#muted || this.#feed.replaying;
  }

  /** The id that the journal holds for a token wait, or a new one (WAIT7). */
  tokenIdFor(op: string): string {
    for (const entry of this.#feed.rest()) {
      if (entry.type === "wait.opened" && entry.op === op && entry.tokenId !== undefined) return entry.tokenId;
    }
    return this.platform.randomId();
  }

  /** The function is over, one way or another. What it still does is not heard. */
  leave(end: FunctionEnd): void {
    if (this.#end !== undefined || this.#stopped) return;
    this.#end = end;
    this.#settling.moved();
    this.unwinding.functionEnded(end);
    this.#schedule();
  }

  /** Tells the orchestrator something about the body that executes now. Resolves when it is durable. */
  emit(event: ExecutionEvent): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    this.#say(event);
    return this.#reporter.drained();
  }

  /** Something changed that the scheduler should look at. */
  wake(): void {
    this.#settling.moved();
    this.#schedule();
  }

  // What the orchestrator says.

  update(news: ExecutionUpdate): void {
    this.accepted(news);
    this.#parked = false;
    this.#paused = news.paused ?? this.#paused;
    this.#schedule();
  }

  accepted(news: ExecutionUpdate): void {
    this.#now = Math.max(this.#now, news.now);
    // An attempt may have fallen due while the run was being parked.
    if (this.#parked && this.operations.ready(this.#now).length > 0) this.#parked = false;
    this.#feed.receive(news.entries);
    for (const entry of news.entries) this.unwinding.heard(entry);
    // Also without news: what was said is durable now, and what had to wait for that may happen.
    this.#schedule();
  }

  refused(): void {
    this.#muted = true;
    this.#stop(new CancelledError("This execution was superseded."));
  }

  abort(reason: AbortReason): void {
    const error = abortError(reason);
    this.#muted ||= reason.type === "superseded";
    this.#stop(error);
    // Code may tidy up: what it awaits is rejected, and whatever it asks for from now on is refused (CAN3).
    if (reason.type !== "superseded") this.operations.refuseAll(error);
  }

  stepsInProgress(): StepInProgress[] {
    return this.bodies.inProgress();
  }

  async atRest(): Promise<void> {
    await this.bodies.settled();
    // The function of a superseded execution may wait for ever.
    if (!this.#muted) await this.#function;
  }

  #stop(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelForeignWait?.();
    this.unwinding.stop();
    this.bodies.drop("all", error);
    this.controller.abort(error);
  }

  #refuseProtocol(): void {
    this.#stopped = true;
    const message = `The orchestrator speaks version ${this.start.protocol} of the protocol, this step handler version ${PROTOCOL_VERSION}. Deploy versions of both sides that have one in common, then retry the run.`;
    queueMicrotask(() => this.#port.lost(errorValue("PROTOCOL_MISMATCH", message)));
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
        else if (next === "at once") await this.#awaitAtOnce();
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
    if (this.#paused) return this.#restPaused();
    const { level } = this.#settling;
    const entry = this.#feed.peek();
    // The function was not even called, so it asks for nothing that the journal holds.
    if (this.#end?.type === "failed" && isInputRefusal(this.#end.error)) return this.#tellEnd(this.#end);
    if (entry !== undefined) return this.#handOver(entry, level);
    if (level === "moving") return "short";
    if (this.#end !== undefined && !this.unwinding.underWay) return this.#conclude(this.#end);
    this.#announceFresh();
    // Accepting a report may have brought entries: they come first (X3).
    if (this.#stopped || this.#feed.peek() !== undefined) return "again";
    return this.#startBodies() ?? this.#park(level);
  }

  /** An operator paused the run: what is in flight is recorded, nothing else happens (CAN4). */
  #restPaused(): Next {
    this.#reporter.flush();
    return "rest";
  }

  /** Takes the oldest entry, if the function is ready for it (X1, X2). */
  #handOver(entry: JournalEntry, level: SettledLevel): Next {
    const operation = this.operations.get(entry.op);
    const fromOutside = entry.type === "run.unwinding" && entry.nth === 0;
    if ((operation === undefined && !fromOutside) || this.asked < entry.asked) {
      return this.#awaitFunction(entry, operation, level);
    }
    if (operation !== undefined && !isOutcome(entry)) {
      this.operations.note(operation, entry);
      this.#takeEntry();
      return "again";
    }
    // Before another attempt time has passed, in which the function may have done whatever it liked.
    const late = fromOutside || entry.quiet === true || (operation?.attempts ?? 0) > 0;
    const plain = !late && this.operations.isPlainSequence(entry.nth);
    if (!plain && level !== "turn") return "turn";
    if (level === "moving") return "short";
    // The outcome of a body that ended at once comes as long after the question as it did live (X2).
    if (plain && !this.#passedAtOnce) return "at once";
    this.#passedAtOnce = false;
    this.#takeEntry();
    this.functionTime = Math.max(this.functionTime, entry.at);
    this.#settling.moved();
    this.#parked = false;
    if (entry.type === "run.unwinding") this.unwinding.turnBack(entry);
    else if (operation !== undefined) this.operations.settle(operation, entry);
    return "again";
  }

  #takeEntry(): void {
    this.#feed.take();
    this.#cancelForeignWait?.();
    this.#cancelForeignWait = undefined;
  }

  /** The function has not asked for what comes next. It is given time; if it surely will not, the code has changed. */
  #awaitFunction(entry: JournalEntry, operation: OpenOperation | undefined, level: SettledLevel): Next {
    if (level === "moving") return "short";
    // What the function asks for during that turn is looked at as soon as live: nothing here holds it up.
    if (level === "short") {
      void this.#settling.turn().then(() => this.#schedule());
      return "rest";
    }
    const overdue = operation === undefined && this.asked >= entry.asked;
    if (overdue || (this.#end !== undefined && !this.unwinding.underWay)) return this.#diverge(entry);
    this.#cancelForeignWait ??= this.platform.setTimer(FOREIGN_AWAIT_MS_MAX, () => this.#diverge(entry));
    return "rest";
  }

  #diverge(entry: JournalEntry): Next {
    this.#say({ type: "run.diverged", error: divergence(entry, this.operations.askedIds(), this.#end !== undefined) });
    this.#stop(new CancelledError("The run is paused: its code and its journal disagree."));
    return "rest";
  }

  // Beginning what was asked for.

  /** Tells of all that needs no body; leaves the steps that are to be executed. */
  #announceFresh(): void {
    // What the function asked for before it turned back comes first.
    for (const event of announcements(this.operations, this.platform.now())) this.#reporter.add(event);
    const turnsBack = this.operations.takeUnwind();
    if (turnsBack !== undefined) {
      // Nothing may execute any more when the run turns back (STEP6).
      if (this.bodies.wind("forward", () => this.#schedule())) this.#reporter.add(turnsBack);
      else this.operations.putBackUnwind();
    }
  }

  /** Starts the bodies whose time has come. Undefined: there are none, or what was said is not durable yet (X3). */
  #startBodies(): Next | undefined {
    const ready = this.operations.ready(this.#now);
    if (ready.length === 0) return undefined;
    for (const operation of ready) {
      const event = this.operations.announceBody(operation, this.platform.now());
      if (event !== undefined) this.#reporter.add(event);
    }
    if (this.#parked) this.#reporter.add({ type: "unparked" });
    this.#parked = false;
    this.#reporter.flush();
    // The answer comes later, or brought entries that say more: the next round sees.
    if (this.#stopped || !this.#reporter.idle) return undefined;
    if (this.#feed.peek() !== undefined) return "again";
    for (const operation of ready) {
      const step = this.operations.begin(operation);
      if (step !== undefined) this.bodies.start(operation, step, this.log);
    }
    return "at once";
  }

  /** Lets bodies end that do so at once; the others are late, and the function gets a whole turn before their outcome. */
  async #awaitAtOnce(): Promise<void> {
    await this.#settling.atOnce();
    this.bodies.markLate();
    this.#passedAtOnce = true;
  }

  #say(event: ExecutionEvent): void {
    this.#reporter.add(event);
    this.#reporter.flush();
  }

  // Resting and ending.

  /** With nothing left to do the run is parked, when the function has surely settled (RUN1). */
  #park(level: SettledLevel): Next {
    // What is under way may bring outcomes: whether there is nothing to do is known when it is answered.
    if (this.#reporter.underWay) return "rest";
    const idle = this.bodies.count === 0 && this.operations.open > 0 && !this.#parked;
    if (idle && level !== "turn") return "turn";
    if (idle) {
      this.#parked = true;
      this.#reporter.add({ type: "parked", seq: this.#feed.lastSeq, now: this.#now });
    }
    this.#reporter.flush();
    const more = this.#feed.peek() !== undefined || this.operations.ready(this.#now).length > 0;
    return more && this.#reporter.idle ? "again" : "rest";
  }

  /** The function has ended: bodies that still execute are stopped and awaited for a while (STEP6), then it is told. */
  #conclude(end: FunctionEnd): Next {
    if (!this.bodies.wind("all", () => this.#schedule())) return "rest";
    for (const step of this.operations.dropSteps()) {
      this.log.warn(`The function ended without awaiting ${describeOperation(step)}, so it was not executed.`);
    }
    for (const event of announcements(this.operations, this.platform.now())) this.#reporter.add(event);
    this.#reporter.flush();
    if (this.#stopped || !this.#reporter.idle) return "rest";
    if (this.#feed.peek() !== undefined) return "again";
    return this.#tellEnd(this.unwinding.turned ? { type: "left" } : end);
  }

  #tellEnd(end: FunctionEnd): Next {
    this.#say(endEvent(end, this.start, (error) => this.operations.stepOf(error)));
    if (!this.#stopped && this.#reporter.idle) this.#stop(new CancelledError("The run has ended."));
    return "rest";
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
