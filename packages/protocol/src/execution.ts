/**
 * The contract between the orchestrator and an execution of workflow code, whatever pipe lies between them.
 *
 * Owns: the messages in both directions and the types that a dispatcher implements.
 * Tells its neighbours: a `StepDispatcher` starts executions; an execution reports events through its `ExecutionPort`
 * and is told of news through `LiveExecution`.
 *
 * Invariants
 * - E1 `start` returns before the first report is made.
 * - E2 Reports of one execution are committed in the order in which they are made, each as a whole or not at all.
 * - E3 The execution goes on with an operation only after the answer to the report that carried its outcome (DUR2).
 * - E4 A refused report is final: the execution stops and says nothing more (DUR6).
 */
import type { ErrorValue } from "./errors.ts";
import type { OperationId } from "./ids.ts";
import type { JournalEntry, MetadataChange } from "./journal.ts";
import type { RetryPolicy } from "./retry.ts";
import type { EncodedValue } from "./values.ts";

/** What workflow code can read about its run. */
export interface RunFacts {
  readonly id: string;
  /** 1 for a run that was triggered, one more for each resume in its line. */
  readonly number: number;
  readonly tags: readonly string[];
  readonly triggeredBy: string;
  readonly startedAt: number;
  readonly environment: string;
  readonly tenantMeta?: EncodedValue;
  /** Where the API of this deployment answers, without a slash at the end. */
  readonly baseUrl?: string;
  /** Whose run it is, where callers have tenants (SEC2). */
  readonly tenantId?: string;
  /** The trace that the trigger belongs to: W3C Trace Context. */
  readonly traceparent?: string;
}

/** Everything that an execution needs to begin, from the first line or from the middle of a run. */
export interface ExecutionStart {
  readonly protocol: number;
  readonly epoch: number;
  readonly run: RunFacts;
  readonly workflowId: string;
  readonly workflowVersion?: string;
  readonly input: EncodedValue;
  /** 128 random bits as 32 hexadecimal digits: the source of `ctx.random()` (REP4). */
  readonly seed: string;
  /** What decides an order on replay, as the run stored it when it was created; absent: none (REP8). */
  readonly flags?: readonly number[];
  /** The whole journal so far. */
  readonly journal: readonly JournalEntry[];
  /** Operations whose outcome is taken over when they are asked for, instead of executed (RES1, RES2). */
  readonly inherited: readonly OperationId[];
  /** An operator has paused the run: no body starts (CAN4). */
  readonly paused: boolean;
  /** The orchestrator's time: retries due by now may start. */
  readonly now: number;
  /** What `ctx.now()` gives before the first outcome (REP4). */
  readonly clockStart: number;
}

/** News for a live execution: entries journaled since, and the orchestrator's time. */
export interface ExecutionUpdate {
  readonly entries: readonly JournalEntry[];
  readonly now: number;
  /** Whether an operator has paused the run, where that changed (CAN4). */
  readonly paused?: boolean;
}

/** Why an execution must stop. After `superseded` nothing more of it may be seen; the others let code tidy up (CAN3). */
export type AbortReason =
  | { readonly type: "superseded" }
  | { readonly type: "cancelled"; readonly reason?: string }
  | { readonly type: "timed_out"; readonly timeoutMs: number };

/** An event about one operation. `nth`: it was the nth that the function asked for, counted from 1. */
interface OperationEvent {
  readonly op: OperationId;
  readonly nth: number;
  /** See `JournalEntry.quiet`. */
  readonly quiet?: true;
}

/** What an execution has to say about one operation. */
export type OperationEvents =
  | (OperationEvent & { readonly type: "step.started"; readonly startedAt: number })
  | (OperationEvent & {
      readonly type: "step.completed";
      readonly attempt: number;
      readonly startedAt: number;
      readonly value: EncodedValue;
      /** The step declared how to undo it (COMP1). */
      readonly compensable?: true;
    })
  /** The outcome that was taken over for this operation applies (RES1, RES2). */
  | (OperationEvent & { readonly type: "inherited"; readonly compensable?: true })
  /** Start a child run (CHILD1). */
  | (OperationEvent & {
      readonly type: "child.started";
      readonly workflowId: string;
      readonly workflowVersion?: string;
      readonly input: EncodedValue;
      readonly tags: readonly string[];
      readonly idempotencyKey?: string;
      readonly detached: boolean;
    })
  /** The function failed, or asked to be undone; no body executes any more (COMP1). */
  | (OperationEvent & {
      readonly type: "run.unwinding";
      readonly cause: "failure" | "request";
      readonly error: ErrorValue;
      readonly step?: OperationId;
    })
  | (OperationEvent & { readonly type: "metadata.changed"; readonly change: MetadataChange })
  | (OperationEvent & { readonly type: "stream.started" })
  /** Chunks of a stream's newest generation, in order; `first` is the number of the first of them. */
  | (OperationEvent & {
      readonly type: "stream.chunks";
      readonly first: number;
      readonly chunks: readonly EncodedValue[];
    })
  | (OperationEvent & {
      readonly type: "step.failed";
      readonly attempt: number;
      readonly startedAt: number;
      readonly error: ErrorValue;
      /** How to go on; `null` ends the step with this error. */
      readonly retry: RetryPolicy | null;
      /** A delay asked for by `RetryableError`, instead of the policy's. */
      readonly retryAfterMs?: number;
    })
  /** A wait begins: it ends or times out after `afterMs`, or at `wakeAt`. */
  | (OperationEvent & {
      readonly type: "wait.opened";
      readonly afterMs?: number;
      readonly wakeAt?: number;
      readonly tokenId?: string;
      /** Whoever knows the token's id may answer it, without credentials. */
      readonly public?: true;
      /** The wait takes only payloads that match this pattern (WAIT6). */
      readonly match?: EncodedValue;
    });

/** What an execution has to say. */
export type ExecutionEvent =
  | OperationEvents
  /**
   * Nothing executes and the function only waits. `seq`: the last journal entry that was seen; `now`: the newest of the
   * orchestrator's times. Ends its report.
   */
  | { readonly type: "parked"; readonly seq: number; readonly now: number }
  /** A parked execution goes on by itself, because the code awaited something that is not an operation. */
  | { readonly type: "unparked" }
  | { readonly type: "run.completed"; readonly output: EncodedValue }
  /** `step`: the step whose failure ended the run, if it was one (RES1). */
  | { readonly type: "run.failed"; readonly error: ErrorValue; readonly step?: OperationId }
  /** All compensations were executed, as far as they could be (COMP3). */
  | { readonly type: "run.unwound" }
  /** The code no longer asks for what the journal holds (REP5). */
  | { readonly type: "run.diverged"; readonly error: ErrorValue };

const ENDS: ReadonlySet<string | undefined> = new Set<ExecutionEvent["type"]>([
  "run.completed",
  "run.failed",
  "run.unwound",
  "run.diverged",
]);

/** Whether the execution has nothing to say after this event, which is the last of its report. */
export function endsRun(event: ExecutionEvent | undefined): boolean {
  return ENDS.has(event?.type);
}

export interface ExecutionReport {
  readonly epoch: number;
  /** How many operations the function has asked for so far. */
  readonly asked: number;
  readonly events: readonly ExecutionEvent[];
  /** The answer takes time, in which the function goes on: outcomes that this report brings are quiet. */
  readonly remote?: true;
}

/** An accepted report is answered with what was journaled because of it, in order. A refused one changed nothing. */
export type ReportAnswer =
  | ({
      readonly accepted: true;
      /** The run is parked now: nothing happens before there is news. */
      readonly parked?: true;
    } & ExecutionUpdate)
  | { readonly accepted: false; readonly reason: "superseded" | "ended" };

/** How an execution speaks to the orchestrator. */
export interface ExecutionPort {
  /** Set where a pipe lies between: answers take time to come. */
  readonly remote?: boolean;
  /** Commits a report. In one process it answers at once, which is what makes the inline pipe fast. */
  report(report: ExecutionReport): ReportAnswer | PromiseLike<ReportAnswer>;
  /** The pipe or the code behind it is gone: the run is dispatched again later (DUR8). */
  lost(error: ErrorValue): void;
}

/** A step body that is executing now. Never journaled; shown to readers. */
export interface StepInProgress {
  readonly op: OperationId;
  readonly attempt: number;
  readonly startedAt: number;
}

/** How the orchestrator speaks to an execution. */
export interface LiveExecution {
  update(update: ExecutionUpdate): void;
  abort(reason: AbortReason): void;
  stepsInProgress?(): readonly StepInProgress[];
  /** Resolves when the code of an aborted execution has come to rest: bodies that saw their signals, and what tidies up. */
  atRest?(): Promise<void>;
}

/** What a step handler serves. */
export interface WorkflowDescription {
  readonly id: string;
  readonly version?: string;
  readonly description?: string;
  /** Tags that every run of it gets. */
  readonly tags?: readonly string[];
  /** The time budget of its runs, unless the trigger sets one (RUN6). */
  readonly timeoutMs?: number;
}

/** Delivers work to wherever the workflow code lives. Anyone can write one. */
export interface StepDispatcher {
  /** Begins an execution and returns at once (E1). Trouble is told through `port.lost`, never thrown. */
  start(start: ExecutionStart, port: ExecutionPort): LiveExecution;
  /** What the other side serves. */
  workflows(): readonly WorkflowDescription[] | Promise<readonly WorkflowDescription[]>;
  /**
   * One workflow, where that can be told without a call: `null` if it is not served, so that a trigger for it is
   * refused at once.
   */
  describe?(workflowId: string, version: string | undefined): WorkflowDescription | null;
}
