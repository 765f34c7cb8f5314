/**
 * The parts of an execution that its scheduler uses.
 *
 * Owns: the interface and its types. The scheduler and its parts import this file and not the execution.
 */
import type { ExecutionStart, OperationId } from "@holdfast/protocol";
import type { Log } from "../step-context.ts";
import type { Bodies } from "./bodies.ts";
import type { JournalFeed } from "./journal-feed.ts";
import type { Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Races } from "./races.ts";
import type { Shields } from "./shields.ts";
import type { Reporter } from "./reporter.ts";
import type { FunctionEnd } from "./run-end.ts";
import type { Unwinding } from "./unwinding.ts";

/** The next round of the scheduler: at once, after a wait for the function, or (`rest`) when something changes. */
export type Next = "again" | "short" | "turn" | "at once" | "rest";

/** The phase of an execution. `stopped` and `superseded` are final; only `stopped` may become `superseded`. */
export type Phase =
  | "running"
  /** An operator has paused the run: results of executing bodies are reported, and no other work happens (CAN4). */
  | "paused"
  /** The execution has reported that the run only waits. */
  | "parked"
  /** The run has ended, was cancelled, or the engine has failed. Code may clean up. */
  | "stopped"
  /** Another execution has replaced this one, which must have no further visible effect (DUR6). */
  | "superseded";

export interface SchedulerHost {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly feed: JournalFeed;
  readonly quiescence: Quiescence;
  readonly reporter: Reporter;
  readonly operations: Operations;
  readonly races: Races;
  readonly shields: Shields;
  readonly bodies: Bodies;
  readonly unwinding: Unwinding;
  readonly log: Log;
  phase: Phase;
  /** `stopped` or `superseded`. */
  readonly over: boolean;
  /** The end of the function. It may end in any phase: a paused execution concludes later. */
  readonly end: FunctionEnd | undefined;
  /** The newest time from the orchestrator, ms since the epoch: retries that are due at this time may start. */
  readonly now: number;
  /** The time of the newest outcome that the function has received (REP4). */
  functionTime: number;
  /** Whether the outcome of an operation is on its way or may come soon, so that others are taken over after it (RES3). */
  holds(op: OperationId): boolean;
  /** Ends the phase `parked`. */
  unpark(): void;
  /** Requests another round of the scheduler. */
  schedule(): void;
  /** Stops the execution. The signals of executing bodies abort with `error`. */
  stop(error: Error): void;
}
