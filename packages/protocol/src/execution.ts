/**
 * The contract between the orchestrator and an execution of workflow code. It is the same for every transport.
 *
 * Owns: the messages in both directions and the types that a dispatcher implements.
 * Interface: a `StepDispatcher` starts executions. An execution reports events through its `ExecutionPort` and receives
 * updates through its `LiveExecution`.
 *
 * Invariants
 * - E1 `start` returns before the first report is made.
 * - E2 Reports of one execution are committed in the order in which they are made. Each is committed as a whole or not
 *   at all.
 * - E3 The execution delivers an outcome to the function only after the answer to the report that carried it (DUR2).
 * - E4 A rejected report is final: the execution stops and makes no further report (DUR6).
 * - E5 A value crosses a pipe once: the answer leaves out what the execution keeps until then.
 */
import type { AskSchema } from "./ask.ts";
import type { ErrorValue } from "./errors.ts";
import type { SendRequest } from "./events.ts";
import type { AdmittedStep, FlowOptions, StepLimit } from "./flow.ts";
import type { OperationId } from "./ids.ts";
import type { JournalEntry, MetadataChange, RequestPlace } from "./journal.ts";
import type { StartLineage } from "./lineage.ts";
import type { RetryPolicy } from "./retry.ts";
import type { EncodedValue } from "./values.ts";

/** The tick of a schedule that started a run (SCH3). Times are ms since 1970. */
export interface ScheduledTick {
  /** The id of the schedule. */
  readonly id: string;
  /** `manual`: an operator started the run. `backfill`: the run of a past tick. */
  readonly kind: "tick" | "manual" | "backfill";
  /** The time of the tick by the pattern. */
  readonly nominal: number;
  /** When it was due: the nominal time and the schedule's spread. */
  readonly fireAt: number;
  /** The nominal time of the tick before; absent: it is the first one. */
  readonly previous?: number;
  /** The nominal times of the next ticks, at most five. */
  readonly next: readonly number[];
}

/** The facts about a run that workflow code can read. */
export interface RunFacts {
  readonly id: string;
  /** 1 for a run that was triggered; a resumed run has the number of its predecessor plus 1. */
  readonly number: number;
  readonly tags: readonly string[];
  readonly triggeredBy: string;
  readonly startedAt: number;
  readonly environment: string;
  readonly tenantMeta?: EncodedValue;
  /** The URL of this deployment's API, without a slash at the end. */
  readonly baseUrl?: string;
  /** The tenant that owns the run, in deployments with tenants (SEC2). */
  readonly tenantId?: string;
  /** The trace of the trigger, as W3C Trace Context. */
  readonly traceparent?: string;
  /** The tick that started the run (SCH3). */
  readonly schedule?: ScheduledTick;
  /**
   * 128 bits as 32 hexadecimal digits, made of tenant, run id and incarnation: no other run has them (RUN9). Absent: the
   * run was created before this field existed, and keeps the keys of its id alone.
   */
  readonly runKey?: string;
  /** The URL of a token of this run, up to the token's id. */
  readonly ownTokens?: string;
  /** The same of a public token. Absent: the deployment has no public tokens (SEC8). */
  readonly publicTokens?: string;
}

/** Everything that an execution needs to start: a new run, or one that has a journal. */
export interface ExecutionStart {
  readonly protocol: number;
  /**
   * An earlier execution was lost without progress: the step handler reports each body to the orchestrator before it calls
   * it. So a body that blocks the process is known by name (DUR11).
   */
  readonly announcesBodies?: true;
  readonly epoch: number;
  readonly run: RunFacts;
  readonly workflowId: string;
  readonly workflowVersion?: string;
  readonly input: EncodedValue;
  /** 128 random bits as 32 hexadecimal digits: the source of `ctx.random()` (REP4). */
  readonly seed: string;
  /** The run's replay flags, stored when it was created; absent: none (REP8). */
  readonly flags?: readonly number[];
  /** The journal so far, or its first page if `more` is present. */
  readonly journal: readonly JournalEntry[];
  /** The rest of the journal: the execution reads it with `ExecutionPort.readPage`. */
  readonly more?: {
    readonly lastSeq: number;
    /** The ids of the tokens in it, by operation. */
    readonly tokens: readonly (readonly [OperationId, tokenId: string])[];
  };
  /** Operations that take over an outcome when the function requests them, instead of executing (RES1, RES2). */
  readonly inherited: readonly OperationId[];
  /** The outcomes of the resumed run that operations take over by their lineage (RES3). */
  readonly lineage?: StartLineage;
  /** Steps that have a place at their limit. Absent: none. */
  readonly admitted?: readonly AdmittedStep[];
  /** Whether an operator has paused the run. No body starts then (CAN4). */
  readonly paused: boolean;
  /** The orchestrator's time, ms since 1970. Retries that are due by then may start. */
  readonly now: number;
  /** The result of `ctx.now()` before the first outcome (REP4). */
  readonly clockStart: number;
}

/** A message to a live execution: the entries journaled since the previous message, and the orchestrator's time. */
export interface ExecutionUpdate {
  readonly entries: readonly JournalEntry[];
  readonly now: number;
  /** Whether an operator has paused the run. Present only if that has changed (CAN4). */
  readonly paused?: boolean;
  /** Steps that have a place at their limit. It may be repeated; absent: none. */
  readonly admitted?: readonly AdmittedStep[];
}

/**
 * Why an execution must stop. After `superseded` the execution must have no further effect; after the other reasons its
 * code may clean up (CAN3).
 */
export type AbortReason =
  | { readonly type: "superseded" }
  | { readonly type: "cancelled"; readonly reason?: string }
  | { readonly type: "timed_out"; readonly timeoutMs: number };

/** An event about one operation. `nth`: its position among the operations that the function requested, counted from 1. */
interface OperationEvent extends RequestPlace {
  readonly op: OperationId;
  readonly nth: number;
  /** See `JournalEntry.quiet`. */
  readonly quiet?: true;
  /** The step belongs to `ctx.shielded`: it counts while the run unwinds, too (CAN9). */
  readonly shielded?: true;
}

/** For which events of a topic a wait is open. */
export interface TopicRequest {
  readonly key: string;
  /** Only events that were accepted at or after this time, ms since 1970; `now`: after the wait opens. Absent: since the run was created. */
  readonly since?: number | "now" | undefined;
  /** Of the events that the run has not seen: so many of the newest. */
  readonly last?: number | undefined;
  /** Events between may be no longer stored. */
  readonly allowGap?: true | undefined;
}

/** The events of an execution about one operation. */
export type OperationEvents =
  | (OperationEvent & { readonly type: "step.started"; readonly startedAt: number })
  /** An attempt of a step wants a place at a limit (STEP10). Nothing is journaled. An execution may repeat it. */
  | (OperationEvent & { readonly type: "step.wants"; readonly attempt: number; readonly limit: StepLimit })
  | (OperationEvent & {
      readonly type: "step.completed";
      readonly attempt: number;
      readonly startedAt: number;
      readonly value: EncodedValue;
      /** The last progress of the body (STEP8). */
      readonly progress?: EncodedValue;
      /** The step declares a compensation (COMP1). */
      readonly compensable?: true;
    })
  /** The operation takes over its outcome from the resumed run (RES1, RES2). */
  | (OperationEvent & {
      readonly type: "inherited";
      readonly compensable?: true;
      /** The operation of the resumed run, if it was found by its lineage. Absent: it has the same id. */
      readonly from?: OperationId;
    })
  /** The function requests a child run (CHILD1). */
  | (OperationEvent & {
      readonly type: "child.started";
      readonly workflowId: string;
      readonly workflowVersion?: string;
      readonly input: EncodedValue;
      readonly tags: readonly string[];
      readonly idempotencyKey?: string;
      readonly detached: boolean;
    })
  /** The function failed, or requested compensation. No body executes any longer (COMP1). */
  | (OperationEvent & {
      readonly type: "run.unwinding";
      readonly cause: "failure" | "request";
      readonly error: ErrorValue;
      readonly step?: OperationId;
    })
  | (OperationEvent & { readonly type: "metadata.changed"; readonly change: MetadataChange })
  | (OperationEvent & { readonly type: "stream.started" })
  /** Chunks of a stream's newest generation, in order. `first` is the index of the first of them. */
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
      /** The last progress of the body (STEP8). */
      readonly progress?: EncodedValue;
      /** The policy for the next attempt; `null` ends the step with this error. */
      readonly retry: RetryPolicy | null;
      /** The delay that a `RetryableError` requests, instead of the policy's. */
      readonly retryAfterMs?: number;
    })
  /** A wait starts. It ends or times out after `afterMs`, or at `wakeAt`. */
  | (OperationEvent & {
      readonly type: "wait.opened";
      readonly afterMs?: number;
      readonly wakeAt?: number;
      readonly tokenId?: string;
      /** Any caller that knows the token's id may answer it without credentials. */
      readonly public?: true;
      /** The wait accepts only payloads that match this pattern (WAIT6). */
      readonly match?: EncodedValue;
      /** What a person is asked, as JSON. The orchestrator checks it: a refused ask is a wait that was let go (ASK2). */
      readonly ask?: string;
      /** The wait is for events with this key, of whatever run sent them or of none (EVT5). */
      readonly topic?: TopicRequest;
      /** Of an operation of the kind `send`: the event that the run sends. It ends at once (EVT13). */
      readonly send?: SendRequest;
    })
  /**
   * The signal of a wait has aborted (WAIT11). `value` is its reason. The event of a wait that is not open yet comes
   * before `wait.opened` in the same report.
   */
  | (OperationEvent & { readonly type: "wait.released"; readonly value: EncodedValue });

/** The events that an execution reports. */
export type ExecutionEvent =
  | OperationEvents
  /**
   * Nothing executes and the function only waits. `seq` is the last journal entry that the execution has received; `now`
   * is the newest time that it has received. The last event of its report.
   */
  | { readonly type: "parked"; readonly seq: number; readonly now: number }
  /**
   * These operations are members of one race: the first outcome closes the waits among the others (WAIT11). Comes before
   * the events that open members. An execution may repeat it.
   */
  | {
      readonly type: "race.opened";
      readonly ops: readonly OperationId[];
      /** Child runs that lose are cancelled. */
      readonly cancelLosers?: true;
    }
  /** The run unwinds, and code in `ctx.shielded` cleans up (CAN9). May be repeated. */
  | { readonly type: "cleanup.started" }
  /** Code in `ctx.shielded` took longer than its time-out. May be repeated. */
  | { readonly type: "cleanup.timed_out" }
  /** A parked execution continues without a message, because the code awaited a promise that is not an operation. */
  | { readonly type: "unparked" }
  | { readonly type: "run.completed"; readonly output: EncodedValue }
  /** `step`: the step whose failure ended the run, if a step's failure did (RES1). */
  | { readonly type: "run.failed"; readonly error: ErrorValue; readonly step?: OperationId }
  /** Every compensation has completed or failed finally (COMP3). */
  | { readonly type: "run.unwound" }
  /** The code does not request the operations in the journal (REP5). */
  | { readonly type: "run.diverged"; readonly error: ErrorValue };

const ENDS: ReadonlySet<string | undefined> = new Set<ExecutionEvent["type"]>([
  "run.completed",
  "run.failed",
  "run.unwound",
  "run.diverged",
]);

/** Whether this event, the last of its report, is the execution's last event. */
export function endsRun(event: ExecutionEvent | undefined): boolean {
  return ENDS.has(event?.type);
}

/** The values of events by their operation. */
export function valuesOf(events: readonly ExecutionEvent[]): ReadonlyMap<OperationId, EncodedValue> {
  return new Map(events.flatMap((event) => ("value" in event ? [[event.op, event.value] as const] : [])));
}

export interface ExecutionReport {
  readonly epoch: number;
  /** The number of operations that the function has requested so far. */
  readonly asked: number;
  readonly events: readonly ExecutionEvent[];
  /** The answer takes time, in which the function continues. Outcomes of this report get the mark `quiet`. */
  readonly remote?: true;
  /** The version of the code of a step handler, if the start names none: the run keeps it (RUN4). */
  readonly version?: string;
  /** The execution has the values of its events until the answer, which need not repeat them (E5). */
  readonly keeps?: true;
}

/**
 * The answer to an accepted report carries the entries that it caused, in order. A rejected report changes nothing. If the
 * execution keeps the values of its events, an entry with the value of the event about its operation has an empty one.
 */
export type ReportAnswer =
  | ({
      readonly accepted: true;
      /** The run is parked: nothing happens until the next update. */
      readonly parked?: true;
    } & ExecutionUpdate)
  | { readonly accepted: false; readonly reason: "superseded" | "ended" };

/** The orchestrator, as an execution sees it. */
export interface ExecutionPort {
  /**
   * Returns the next entries of the journal after this one. Present if the start has `more`. Later, if a transport lies
   * between the two sides.
   */
  readPage?(after: number): readonly JournalEntry[] | PromiseLike<readonly JournalEntry[]>;
  /** Whether answers take time, because a transport lies between the two sides. */
  readonly remote?: boolean;
  /** The execution ends with its first report: what it reports must be progress. */
  readonly oneReport?: boolean;
  /** While this returns true the execution makes no report: events are collected for a later one. */
  defersReports?(): boolean;
  /** Commits a report. Within one process the answer is synchronous, so a step needs no further turn of the event loop. */
  report(report: ExecutionReport): ReportAnswer | PromiseLike<ReportAnswer>;
  /**
   * Reports that the execution is lost. The code of the error decides what follows: `SESSION_LOST` starts another
   * execution at once, `EXECUTOR_CRASHED` too and counts it (DUR7), `STICKY_ROUTING_REQUIRED` starts three others at most
   * (DUR11), `DISPATCH_REFUSED` pauses the run. With any other code the run is dispatched again later (DUR8).
   */
  lost(error: ErrorValue): void;
  /** Reports that bodies have new progress, at most once per `progressMs` (STEP8). Nothing is stored. */
  progressed?(): void;
}

/** A step body that is executing. Shown to readers, never journaled. */
export interface StepInProgress {
  readonly op: OperationId;
  readonly attempt: number;
  readonly startedAt: number;
  /** The newest progress of the body, at most `progressMs` old (STEP8). */
  readonly progress?: EncodedValue;
}

/** Whether a list shows progress that an earlier one does not show. */
export function hasNewProgress(
  steps: readonly StepInProgress[],
  before: ReadonlyMap<OperationId, StepInProgress>,
): boolean {
  return steps.some(({ op, attempt, progress }) => {
    if (progress === undefined) return false;
    const old = before.get(op);
    return old?.attempt !== attempt || old.progress !== progress;
  });
}

/** An execution, as the orchestrator sees it. */
export interface LiveExecution {
  update(update: ExecutionUpdate): void;
  abort(reason: AbortReason): void;
  stepsInProgress?(): readonly StepInProgress[];
  /**
   * Asks for a sign of life, and calls `answered` when the execution gives one. An execution that does not answer is
   * replaced (DUR11). Absent: it runs in the orchestrator's own process.
   */
  ping?(answered: () => void): void;
  /** Resolves when the bodies and the clean-up code of an aborted execution have settled. */
  whenIdle?(): Promise<void>;
}

/** A workflow that a step handler serves. */
export interface WorkflowDescription {
  readonly id: string;
  readonly version?: string;
  readonly description?: string;
  /** Tags of each of its runs. */
  readonly tags?: readonly string[];
  /** The time budget of its runs, unless the trigger sets one (RUN6). */
  readonly timeoutMs?: number;
  /** JSON Schema 2020-12 of the input that callers send. Absent: the author's library gives none (API9). */
  readonly inputSchema?: AskSchema;
  /** Its limits, and what else decides when a run starts. Unchecked. From another process, it has no functions (FL1). */
  readonly flow?: FlowOptions;
}

/** Starts executions where the workflow code runs. Deployers may implement their own. */
export interface StepDispatcher {
  /**
   * Whether executions of this workflow read the journal in pages. Default: they get all of it at once. `"later"`: a page
   * takes time, so the replay of each page must contain a whole turn of the event loop.
   */
  readsPages?(workflowId: string, version: string | undefined): boolean | "later";
  /** Starts an execution and returns immediately (E1). Reports a failure through `port.lost` and never throws. */
  start(start: ExecutionStart, port: ExecutionPort): LiveExecution;
  /** What the step handler serves. Runs begin when it has answered (L9). An empty list: they have no limits. */
  workflows(): readonly WorkflowDescription[] | Promise<readonly WorkflowDescription[]>;
  /**
   * Describes one workflow without a call to another process: `null` if no handler serves it. A trigger for such a
   * workflow is rejected immediately.
   */
  describe?(workflowId: string, version: string | undefined): WorkflowDescription | null;
}
