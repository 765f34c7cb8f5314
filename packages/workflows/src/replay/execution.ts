/**
 * One execution of a workflow function.
 *
 * Owns: its beginning and its stop, and what the orchestrator sends. What happens in between is the scheduler's.
 * Tells its neighbours: it reports events through the port and gets news from the orchestrator. The function does not
 * know it: an operation is a promise that settles when the journal says so, and nothing is ever thrown into user code to
 * stop it (REP7).
 *
 * Invariants
 * - X4 An outcome that comes from here is handed over only after the orchestrator journaled it (E3).
 */
import {
  type AbortReason,
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionStart,
  type ExecutionUpdate,
  type LiveExecution,
  PROFILE_0,
  type ReplayProfile,
  type StepInProgress,
  errorValue,
  profileOf,
  toErrorValue,
} from "@holdfast/protocol";
import type { Log } from "../step-context.ts";
import { abortError } from "./abort-error.ts";
import { Bodies } from "./bodies.ts";
import { JournalFeed } from "./journal-feed.ts";
import { Operations } from "./operations.ts";
import type { SchedulerHost, Phase } from "./scheduler-host.ts";
import type { Platform } from "./platform.ts";
import { Quiescence } from "./quiescence.ts";
import { Reporter } from "./reporter.ts";
import type { FunctionEnd } from "./run-end.ts";
import { Scheduler } from "./scheduler.ts";
import { startRefusal } from "./start-refusal.ts";
import { Unwinding } from "./unwinding.ts";

export class Execution implements LiveExecution, SchedulerHost {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly log: Log;
  readonly controller: AbortController = new AbortController();
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly unwinding: Unwinding;

  // For the scheduler, and for nothing else.
  phase: Phase;
  end: FunctionEnd | undefined;
  now: number;
  functionTime: number;
  readonly feed: JournalFeed;
  readonly settling: Quiescence;
  readonly reporter: Reporter;

  readonly #port: ExecutionPort;
  readonly #scheduler: Scheduler;
  /** Undefined: the run has replay flags that this code does not know. */
  readonly #profile: ReplayProfile | undefined;
  #function: Promise<void> | undefined;

  constructor(start: ExecutionStart, port: ExecutionPort, platform: Platform, log: (execution: Execution) => Log) {
    this.start = start;
    this.platform = platform;
    this.#port = port;
    this.phase = start.paused ? "paused" : "running";
    this.now = start.now;
    this.functionTime = start.clockStart;
    this.feed = new JournalFeed(start.journal);
    this.#profile = profileOf(start.flags ?? [], platform.replayFlags);
    this.settling = new Quiescence(platform, this.#profile ?? PROFILE_0);
    this.reporter = new Reporter(port, start.epoch, this);
    this.operations = new Operations(start, () => this.wake());
    this.bodies = new Bodies(platform, start.run, (event) => {
      this.reporter.say(event);
      this.schedule();
    });
    this.unwinding = new Unwinding(this);
    this.log = log(this);
    this.#scheduler = new Scheduler(this, (error) => port.lost(toErrorValue(error)));
  }

  /** Begins: calls the function in a later turn and takes care of it until it ends or is stopped (E1). */
  begin(run: () => Promise<string>): void {
    const refusal = startRefusal(this.start, this.#profile);
    if (refusal !== undefined) return this.#refuse(refusal);
    void this.platform.turn().then(() => {
      if (this.over) return;
      this.#function = run().then(
        (output) => this.leave({ type: "completed", output }),
        (error) => this.leave({ type: "failed", error }),
      );
      this.schedule();
    });
  }

  get asked(): number {
    return this.operations.asked;
  }

  get over(): boolean {
    return this.phase === "stopped" || this.phase === "superseded";
  }

  /** True while the function runs through what the journal holds. */
  get replaying(): boolean {
    return this.phase === "superseded" || this.feed.replaying;
  }

  /** The id that the journal holds for a token wait, or a new one (WAIT7). */
  tokenIdFor(op: string): string {
    for (const entry of this.feed.rest()) {
      if (entry.type === "wait.opened" && entry.op === op && entry.tokenId !== undefined) return entry.tokenId;
    }
    return this.platform.randomId();
  }

  /** The function has ended, one way or another. What it still does does not count. */
  leave(end: FunctionEnd): void {
    if (this.end !== undefined || this.over) return;
    this.end = end;
    this.settling.moved();
    this.unwinding.functionEnded(end);
    this.schedule();
  }

  /** Reports something about the body that executes now. Resolves when it is durable. */
  emit(event: ExecutionEvent): Promise<void> | undefined {
    if (this.over) return undefined;
    this.reporter.say(event);
    return this.reporter.drained();
  }

  /** Asks for another round of the scheduler. */
  schedule(): void {
    this.#scheduler.schedule();
  }

  unpark(): void {
    if (this.phase === "parked") this.phase = "running";
  }

  /** Something changed that the scheduler should look at. */
  wake(): void {
    this.settling.moved();
    this.schedule();
  }

  // What the orchestrator sends.

  update(news: ExecutionUpdate): void {
    this.accepted(news);
    if (!this.over) this.phase = (news.paused ?? this.phase === "paused") ? "paused" : "running";
    this.schedule();
  }

  accepted(news: ExecutionUpdate): void {
    this.now = Math.max(this.now, news.now);
    // An attempt may have fallen due while the run was being parked.
    if (this.phase === "parked" && this.operations.ready(this.now).length > 0) this.unpark();
    this.feed.receive(news.entries);
    for (const entry of news.entries) this.unwinding.accepted(entry);
    // Also without news: what was reported is durable now, and what had to wait for that may happen.
    this.schedule();
  }

  refused(): void {
    this.stop(abortError({ type: "superseded" }), true);
  }

  abort(reason: AbortReason): void {
    const error = abortError(reason);
    const superseded = reason.type === "superseded";
    this.stop(error, superseded);
    // Code may tidy up: what it awaits is rejected, and whatever it asks for from now on is refused (CAN3).
    if (!superseded) this.operations.refuseAll(error);
  }

  stepsInProgress(): StepInProgress[] {
    return this.bodies.inProgress();
  }

  async atRest(): Promise<void> {
    await this.bodies.settled();
    // The function of a superseded execution may wait for ever.
    if (this.phase !== "superseded") await this.#function;
  }

  stop(error: Error, superseded = false): void {
    const wasOver = this.over;
    if (superseded || !wasOver) this.phase = superseded ? "superseded" : "stopped";
    if (wasOver) return;
    this.#scheduler.stop();
    this.unwinding.stop();
    this.bodies.drop("all", error);
    this.controller.abort(error);
  }

  #refuse(reason: string): void {
    this.phase = "stopped";
    const message = `${reason} Deploy versions of both sides that fit, then retry the run.`;
    queueMicrotask(() => this.#port.lost(errorValue("PROTOCOL_MISMATCH", message)));
  }
}
