/**
 * The answers of the HTTP API. docs/reference/http-guide.md describes each field.
 *
 * Owns: the shapes. The orchestrator produces them; the client and other readers of the API consume them. Values are
 * plain JSON; all times are milliseconds since 1970. A field that is `undefined` is absent in the answer.
 */
import type { RunAction } from "./actions.ts";
import type { RunStatus } from "./run-status.ts";
import type { ListedWhy, WhyEntry } from "./why.ts";

/** An error as the API shows it: fields of the thrown error, as plain JSON. */
export interface ShownError {
  /** As it was thrown: a text or a number. */
  readonly code?: string | number | undefined;
  readonly name?: string | undefined;
  readonly message: string;
  readonly data?: unknown;
  readonly cause?: unknown;
  /** The members of an `AggregateError`. */
  readonly errors?: unknown;
  /** Own fields that are plain data, such as `status`. */
  readonly fields?: unknown;
  /** Only in the record and the journal, and only for callers with the scope `operate` (SEC4). */
  readonly stack?: string | undefined;
}

export interface RunErrorInfo extends ShownError {
  /** Who is at fault: the workflow's own code, or the engine and its platform. */
  readonly category?: "USER_ERROR" | "RUNTIME_ERROR" | undefined;
  /** The name of the step that failed. */
  readonly step?: string | undefined;
}

/** A limit of a run (L1). */
export interface RunLimit {
  readonly name: string;
  readonly key?: string | undefined;
  /** It is one limit for all tenants, and no tenant sees it. */
  readonly scope?: "deployment" | undefined;
  readonly mode: "run" | "active" | "step";
  /** Of the mode `step`: the name of the step that wants or has it (STEP10). */
  readonly step?: string | undefined;
  readonly state: "free" | "wanted" | "held";
  /** When the run first wanted it. */
  readonly enqueuedAt?: number | undefined;
  /** The place in the queue when the limit last answered, from 1. */
  readonly position?: number | undefined;
  /** When the rate admits the run. */
  readonly startAt?: number | undefined;
}

/** A run in a list. */
export interface ListedRun {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: string | null;
  readonly status: RunStatus;
  readonly error?: RunErrorInfo | undefined;
  readonly tags: readonly string[];
  readonly environment: string;
  readonly triggeredBy: string;
  readonly tenantId?: string | undefined;
  readonly parent?: { readonly runId: string; readonly detached?: boolean } | undefined;
  readonly resumedFrom?: { readonly runId: string; readonly step?: string } | undefined;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly updatedAt: number;
  /** Absent, if the index does not know it or its time is over (WHY5). */
  readonly why?: ListedWhy | undefined;
}

/** A run without its input, output and steps. */
export interface RunSummary extends Omit<ListedRun, "why"> {
  readonly phase: "forward" | "compensating";
  readonly pendingWaitpoints: readonly Waitpoint[];
  readonly uncompensated?: readonly UncompensatedStep[] | undefined;
  /** The clean-up code of a stopped run did not execute, or took longer than its time-out (CAN2, CAN9). */
  readonly cleanup?: "not run" | "timed out" | undefined;
  /** The limits of the run, in the order in which it gets them. Absent: it has none. */
  readonly limits?: readonly RunLimit[] | undefined;
  /** The tick of the schedule that started the run. */
  readonly schedule?: { readonly id: string; readonly kind: "tick" | "manual" | "backfill"; readonly nominal: number };
  /** The event that started the run, by its trigger. */
  readonly event?: { readonly id: string; readonly name: string; readonly trigger: string };
  /** Of a terminated run: the completed steps whose compensation has not succeeded (CAN8). */
  readonly undone?: readonly StepReference[] | undefined;
  /** Of a terminated run: the bodies that executed at its end. Their effect is unknown. */
  readonly inFlight?: readonly BodyInFlight[] | undefined;
  readonly dispatch?: DispatchFailure | undefined;
  /** Number of executions so far. */
  readonly invocationCount: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tenantMeta: unknown;
  readonly resumedBy?: readonly string[] | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly startAt?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface StepReference {
  readonly name: string;
  readonly occurrence: number;
}

/** `kind`: `step`, `compensation` of the step with this name, or `stream`. */
export interface BodyInFlight extends StepReference {
  readonly kind: string;
}

/** A delivery that a run accepted and did not consume before its end. */
export interface LeftOverDelivery {
  readonly kind: "event" | "signal" | "token";
  /** The event's type, the signal's name, or the token's id. */
  readonly name: string;
  readonly at: number;
  readonly deliveryId?: string | undefined;
}

/** The first of these deliveries, oldest first, and the number of all (WAIT12). */
export interface LeftOver {
  readonly count: number;
  readonly deliveries: readonly LeftOverDelivery[];
}

/** A step whose compensation failed finally (COMP3). */
export interface UncompensatedStep extends StepReference {
  readonly error: ShownError;
}

/** The reason why the step handler cannot be reached. Present only while that lasts (DUR8). */
export interface DispatchFailure {
  readonly since: number;
  readonly failures: number;
  readonly retryAt?: number | undefined;
  /** The code of the last failure. */
  readonly code: string;
  /** What the other side said, only for callers with the scope `operate` (SEC4). */
  readonly message?: string | undefined;
}

export type WaitpointKind = "DATETIME" | "EVENT" | "SIGNAL" | "MANUAL" | "RUN";

export interface Waitpoint {
  readonly id: string;
  readonly kind: WaitpointKind;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly wakeAt?: number | undefined;
}

export type StepStatus = "running" | "retrying" | "completed" | "failed" | "skipped";

/** The state of an operation with attempts: a step, or the compensation of a step. */
export interface AttemptedWork {
  readonly status: StepStatus;
  readonly attempts: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly retryAt?: number | undefined;
  readonly error?: ShownError | undefined;
}

export interface RunStep extends AttemptedWork {
  readonly name: string;
  readonly occurrence: number;
  readonly output?: unknown;
  /** The newest value that the body passed to `progress` in its newest attempt (STEP8). */
  readonly progress?: unknown;
  readonly compensation?: AttemptedWork | undefined;
}

export interface RunStream {
  readonly chunks: number;
  readonly ended: boolean;
  /** Chunks of a higher generation replace those of all lower ones (STR1). */
  readonly generation: number;
}

/** How much of a run an answer shows (API7). */
export const RUN_VIEWS = ["summary", "result", "record"] as const;

export type RunView = (typeof RUN_VIEWS)[number];

/** The view `result`: what a caller that waits for the end needs. */
export interface RunResult<Output = unknown> {
  readonly id: string;
  readonly status: RunStatus;
  readonly error?: RunErrorInfo | undefined;
  readonly output?: Output | undefined;
  /** The output or the error is cut. */
  readonly truncated?: true;
}

/** The view `summary`: the record without what grows with the history of the run. */
export interface RunOverview<Output = unknown> extends RunSummary {
  readonly input: unknown;
  readonly output?: Output | undefined;
  /** Why the run is in its state: at least one entry, and the one to act on first is first (WHY1). */
  readonly why: readonly WhyEntry[];
  /** Only on request: what the API would answer to each action now (ACT1). */
  readonly actions?: readonly RunAction[] | undefined;
  /** In an ended run, if there are any. */
  readonly leftOver?: LeftOver | undefined;
  /** The answer omits steps or cuts values. `/journal` has all steps. */
  readonly truncated?: true;
}

/** The whole record. Values that JSON cannot express are shown as text. */
export interface RunRecord<Output = unknown> extends RunOverview<Output> {
  readonly steps: readonly RunStep[];
  readonly streams: Readonly<Record<string, RunStream>>;
}

/** The answer to a request for a view. */
export interface RunViews<Output = unknown> {
  readonly summary: RunOverview<Output>;
  readonly result: RunResult<Output>;
  readonly record: RunRecord<Output>;
}

/** An entry of the journal in an answer of `/journal`. The other fields depend on `type`. */
export interface RunJournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly operation: { readonly kind: string; readonly occurrence: number; readonly name: string };
  readonly [field: string]: unknown;
}

/** One action of a caller on the run (SEC2). */
export interface AuditEntry {
  readonly at: number;
  readonly action: string;
  readonly by: string;
  /** The user that the caller named as `triggeredByUserId`. */
  readonly onBehalfOf?: string;
  /** The delivered item, or the reason of the action. Never a secret. */
  readonly detail?: string;
}

/** `resolved`: a wait consumed it. `buffered`: it is stored for a later wait. `duplicate`: its id was accepted before. */
export type Delivery = "resolved" | "buffered" | "duplicate";

/** An event of a run's stream (STR2). `id` is the cursor: a reader that reconnects with it gets the events after this one. */
export type RunEvent =
  | { readonly type: "run"; readonly id: string; readonly data: RunSummary }
  | {
      readonly type: "chunk";
      readonly id: string;
      /** Chunks of a higher generation replace those of all lower ones (STR1). */
      readonly data: {
        readonly stream: string;
        readonly generation: number;
        readonly index: number;
        readonly value: unknown;
      };
    }
  | {
      readonly type: "step" | "waitpoint";
      readonly id: string;
      readonly data: RunJournalEntry & { readonly name: string; readonly occurrence: number; readonly status: string };
    }
  | { readonly type: "metadata"; readonly id: string; readonly data: RunJournalEntry }
  /** The newest progress of the executing bodies that reported any (STEP8). Its cursor is that of the event before it. */
  | { readonly type: "progress"; readonly id: string; readonly data: { readonly steps: readonly StepProgress[] } };

export interface StepProgress {
  readonly name: string;
  readonly occurrence: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly progress: unknown;
}

/** The set-up of a deployment, for those who run it. */
export interface DeploymentInfo {
  readonly version: string;
  /** The clock of the server. */
  readonly now: number;
  readonly environment: string;
  /** The setting PUBLIC_URL. */
  readonly publicUrl: string | null;
  /** Every request is accepted, with all scopes. */
  readonly open: boolean;
  readonly held: boolean;
  /** Whether the deployment has an index, so that runs can be listed. */
  readonly index: boolean;
  /** `unusable`: the objects of runs fail, as those of a class without SQLite do. */
  readonly storage: "sqlite" | "unusable";
  /** Flags that the compatibility date turns on. Empty if the platform does not report them. */
  readonly compatibility: Readonly<Record<string, boolean>>;
}

/** The numbers of runs in the index, a few seconds old. */
export interface CountsAnswer {
  /** The workflows with the most runs, at most 100, and `other` for those of the others. */
  readonly workflows: readonly {
    readonly workflowId: string;
    /** By status. A status without runs is absent. */
    readonly runs: Readonly<Partial<Record<RunStatus, number>>>;
  }[];
  /** Parts of the index that did not answer. Their runs are not counted. */
  readonly unread: number;
}

/** The result of a request that acts on many runs. */
export interface BulkAnswer {
  readonly asked: number;
  readonly done: number;
  readonly refused: readonly { readonly id: string; readonly error: string; readonly message: string }[];
  readonly nextCursor: string | null;
}
