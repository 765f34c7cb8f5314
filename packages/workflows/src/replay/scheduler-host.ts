/**
 * An execution as its scheduler sees it.
 *
 * Owns: the interface and its types, so that the scheduler and what it is made of do not import the execution.
 */
import type { ExecutionStart } from "@holdfast/protocol";
import type { Log } from "../step-context.ts";
import type { Bodies } from "./bodies.ts";
import type { JournalFeed } from "./journal-feed.ts";
import type { Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import type { Quiescence } from "./quiescence.ts";
import type { Reporter } from "./reporter.ts";
import type { FunctionEnd } from "./run-end.ts";
import type { Unwinding } from "./unwinding.ts";

/** What the scheduler does next: another round at once, after some time for the function, or none before there is news. */
export type Next = "again" | "short" | "turn" | "at once" | "rest";

/** Where an execution stands. `stopped` and `superseded` are final; only `stopped` may become `superseded`. */
export type Phase =
  | "running"
  /** An operator has paused the run: what is in flight is recorded, nothing else happens (CAN4). */
  | "paused"
  /** The orchestrator has a report that the run only waits. */
  | "parked"
  /** The run has ended, is cancelled, or the engine has failed. Code may tidy up. */
  | "stopped"
  /** Another execution has replaced this one: nothing of it may be seen any more (DUR6). */
  | "superseded";

export interface SchedulerHost {
  readonly start: ExecutionStart;
  readonly platform: Platform;
  readonly feed: JournalFeed;
  readonly settling: Quiescence;
  readonly reporter: Reporter;
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly unwinding: Unwinding;
  readonly log: Log;
  phase: Phase;
  /** `stopped` or `superseded`. */
  readonly over: boolean;
  /** How the function ended. It may end in any phase: an execution that is paused concludes later. */
  readonly end: FunctionEnd | undefined;
  /** The newest of the orchestrator's times: retries due by now may start. */
  readonly now: number;
  /** The time of the newest outcome that the function has seen (REP4). */
  functionTime: number;
  /** Something happens to a parked execution. */
  unpark(): void;
  /** Asks for another round of the scheduler. */
  schedule(): void;
  /** Stops the execution; bodies that execute get `error` as the reason of their signals. */
  stop(error: Error): void;
}
