/**
 * One execution of a workflow function.
 *
 * Owns: its start, its stop, and the messages of the orchestrator. The scheduler owns all work in between.
 * Interface: it reports events through the port and receives updates from the orchestrator. The function has no
 * reference to it: an operation is a promise that settles with its journaled outcome, and no error is ever thrown into
 * user code to stop it (REP7).
 *
 * Invariants
 * - X4 An outcome of this execution is delivered only after the orchestrator journaled it (E3).
 */
import {
  describeOperation,
  type AbortReason,
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionStart,
  type ExecutionUpdate,
  type LiveExecution,
  type OperationId,
  PROFILE_0,
  type ReplayProfile,
  type StepInProgress,
  errorValue,
  profileOf,
  toErrorValue,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { Log } from "../step-context.ts";
import { CancelledError } from "../errors.ts";
import { abortError } from "./abort-error.ts";
import { Bodies } from "./bodies.ts";
import { JournalFeed } from "./journal-feed.ts";
import { Operations } from "./operations.ts";
import type { SchedulerHost, Phase } from "./scheduler-host.ts";
import type { Platform } from "./platform.ts";
import { Quiescence } from "./quiescence.ts";
import { Races } from "./races.ts";
import { Reporter } from "./reporter.ts";
import type { FunctionEnd } from "./run-end.ts";
import { Scheduler } from "./scheduler.ts";
import { Shields } from "./shields.ts";
import { startRefusal } from "./start-refusal.ts";
import { insideRun, shared } from "./step-scope.ts";
import { Unwinding } from "./unwinding.ts";

export class Execution implements LiveExecution, SchedulerHost {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly log: Log;
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly races: Races;
  readonly shields: Shields;
  readonly unwinding: Unwinding;

  // These members are for the scheduler only.
  phase: Phase;
  end: FunctionEnd | undefined;
  now: number;
  functionTime: number;
  readonly feed: JournalFeed;
  readonly quiescence: Quiescence;
  readonly reporter: Reporter;

  readonly #port: ExecutionPort;
  readonly #scheduler: Scheduler;
  /** Undefined if the run has replay flags that this code does not know. */
  readonly profile: ReplayProfile | undefined;
  #function: Promise<void> | undefined;
  #release: (() => void) | undefined;
  /** Whether outcomes that are taken over may wait for steps that execute again. */
  #isPatient = true;
  #cancelHold: (() => void) | undefined;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;
  /** Set in processes whose platform guards rejections. */
  unhandled: ((reason: unknown, step: OperationId | undefined) => void) | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, platform: Platform, log: (execution: Execution) => Log) {
    this.start = start;
    this.platform = platform;
    this.#port = port;
    this.phase = start.paused ? "paused" : "running";
    this.now = start.now;
    this.functionTime = start.clockStart;
    this.feed = new JournalFeed(start, port, () => this.schedule());
    this.profile = profileOf(start.flags ?? [], platform.replayFlags);
    this.quiescence = new Quiescence(platform, this.profile ?? PROFILE_0, this.feed);
    this.reporter = new Reporter(port, start.epoch, this);
    this.operations = new Operations(
      start,
      (operation) => {
        if (this.over)
          this.log.warn(`${describeOperation(operation.id)} was requested after the end, so it never settles.`);
        this.shields.add(operation);
        this.wake();
      },
      (error) => this.own(error),
    );
    this.bodies = new Bodies(this, (event) => {
      this.reporter.send(event);
      this.schedule();
    });
    this.races = new Races(this);
    this.shields = new Shields(this);
    this.unwinding = new Unwinding(this);
    this.log = log(this);
    this.#scheduler = new Scheduler(this, (error) => port.lost(toErrorValue(error)));
  }

  /** Starts the execution. Calls the function in a microtask, after the caller has got this object (E1). */
  begin(run: () => Promise<string>): void {
    const refusal = startRefusal(this.start, this.profile, this.#port);
    if (refusal !== undefined) return this.#refuse(refusal);
    this.#release = this.platform.guardRejections?.(this);
    queueMicrotask(() => {
      if (this.over) return;
      this.#function = insideRun(this, run).then(
        (output) => this.#functionEnded({ type: "completed", output }),
        (error) => this.#functionEnded({ type: "failed", error }),
      );
      this.schedule();
    });
  }

  #functionEnded(end: FunctionEnd): void {
    this.unwinding.returned = true;
    this.shields.whenEnded(() => this.leave(end));
  }

  /** Created when it is first read: most functions never read their signal. */
  get controller(): AbortController {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    return this.#controller;
  }

  get asked(): number {
    return this.operations.count;
  }

  get over(): boolean {
    return this.phase === "stopped" || this.phase === "superseded";
  }

  /** True while the function replays the journal. */
  get replaying(): boolean {
    return this.phase === "superseded" || this.feed.replaying;
  }

  /** Returns the journaled id of a token wait, or a new one (WAIT7). */
  tokenIdFor(op: string): string {
    for (const entry of this.feed.rest()) {
      if (entry.type === "wait.opened" && entry.op === op && entry.tokenId !== undefined) return entry.tokenId;
    }
    return this.start.more?.tokens.find(([token]) => token === op)?.[1] ?? this.platform.randomId();
  }

  /** Records that the function has ended. Its later operations are ignored. */
  leave(end: FunctionEnd): void {
    if (this.end !== undefined || this.over) return;
    this.end = end;
    this.quiescence.moved();
    this.unwinding.functionEnded(end);
    this.schedule();
  }

  /** Reports an event of an executing body. Resolves when the event is durable. */
  emit(event: ExecutionEvent): Promise<void> | undefined {
    if (this.over) return undefined;
    this.reporter.send(event);
    return this.reporter.drained();
  }

  holds(op: OperationId): boolean {
    const { reporter, operations, bodies } = this;
    if (!reporter.idle) return true;
    if (operations.get(op) === undefined || bodies.count + operations.ready(this.now).length === 0) return false;
    this.#cancelHold ??= this.platform.setTimer(LIMITS.takeOverWaitMs, () => {
      this.#isPatient = false;
      this.schedule();
    });
    return this.#isPatient;
  }

  /** Requests another round of the scheduler. */
  schedule(): void {
    this.#scheduler.schedule();
  }

  progressed(): void {
    this.#port.progressed?.();
  }

  unpark(): void {
    if (this.phase === "parked") this.phase = "running";
  }

  /** Records activity of the function and requests another round of the scheduler. */
  wake(): void {
    this.quiescence.moved();
    this.schedule();
  }

  // Messages of the orchestrator.

  update(update: ExecutionUpdate): void {
    this.accepted(update);
    if (update.paused === true) this.operations.places.forget();
    if (!this.over) this.phase = (update.paused ?? this.phase === "paused") ? "paused" : "running";
    this.schedule();
  }

  /** `ends`: the end of the run is durable. */
  accepted(update: ExecutionUpdate, ends = false): void {
    if (ends) return this.stop(new CancelledError("The run has ended."));
    this.now = Math.max(this.now, update.now);
    if (update.admitted !== undefined)
      this.operations.places.admit(update.admitted, (op) => this.operations.get(op)?.attempts);
    // An attempt may have become due while the run was being parked.
    if (this.phase === "parked" && this.operations.ready(this.now).length > 0) this.unpark();
    this.feed.receive(update.entries);
    for (const entry of update.entries) this.unwinding.accepted(entry);
    // Schedule even without entries: the report is durable now, so operations that waited for it may start.
    this.schedule();
  }

  rejected(): void {
    this.stop(abortError({ type: "superseded" }), true);
  }

  abort(reason: AbortReason): void {
    const error = abortError(reason);
    const superseded = reason.type === "superseded";
    this.stop(error, superseded);
    // Code may clean up: its awaits are rejected, and so are new operations (CAN3).
    if (!superseded) this.operations.rejectAll(error);
  }

  stepsInProgress(): StepInProgress[] {
    return this.bodies.inProgress();
  }

  async whenIdle(): Promise<void> {
    await this.bodies.settled();
    // The function of a superseded execution may never settle.
    if (this.phase !== "superseded") await this.#function;
  }

  stop(error: Error, superseded = false): void {
    const wasOver = this.over;
    if (superseded || !wasOver) this.phase = superseded ? "superseded" : "stopped";
    if (wasOver) return;
    this.#scheduler.stop();
    this.#cancelHold?.();
    this.unwinding.stop();
    this.shields.stop();
    this.bodies.drop("all", error);
    this.abortSignal(error);
    void this.bodies.settled().then(this.#release);
  }

  abortSignal(error: Error): void {
    this.own(error);
    this.#aborted ??= error;
    // Listeners of the signal are code of the run.
    insideRun(this, () => this.#controller?.abort(error));
  }

  /** Records that an error belongs to this run (REP7). */
  own(error: Error): void {
    shared.errors.set(error, this);
  }

  #refuse(reason: string): void {
    this.phase = "stopped";
    const message = `${reason} Deploy versions of both sides that fit, then retry the run.`;
    queueMicrotask(() => this.#port.lost(errorValue("PROTOCOL_MISMATCH", message)));
  }
}
