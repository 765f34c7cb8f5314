/**
 * What the HTTP API answers with. docs/http-api.md describes each field.
 *
 * Owns: the shapes. The orchestrator produces them, the client and whatever shows runs reads them. Values are plain
 * JSON here; all times are milliseconds since 1970. A field that is `undefined` is absent in the answer.
 */
import type { RunStatus } from "./run-status.ts";

/** An error as the API shows it: the fields of the thrown error that JSON holds, and more under other names. */
export interface ShownError {
  readonly code?: string | undefined;
  readonly name?: string | undefined;
  readonly message: string;
  readonly data?: unknown;
}

export interface RunErrorInfo extends ShownError {
  /** Whether the workflow's own code is at fault, or the engine and what it runs on. */
  readonly category?: "USER_ERROR" | "RUNTIME_ERROR" | undefined;
  /** The name of the step that failed. */
  readonly step?: string | undefined;
}

/** A run as a list shows it. */
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
}

/** A run without its input, output and steps. */
export interface RunSummary extends ListedRun {
  readonly phase: "forward" | "compensating";
  readonly pendingWaitpoints: readonly Waitpoint[];
  readonly uncompensated?: readonly UncompensatedStep[] | undefined;
  readonly dispatch?: DispatchFailure | undefined;
  /** Executions that were begun. */
  readonly invocationCount: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tenantMeta: unknown;
  readonly resumedBy?: readonly string[] | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly startAt?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A step whose compensation failed for good (COMP3). */
export interface UncompensatedStep {
  readonly name: string;
  readonly occurrence: number;
  readonly error: ShownError;
}

/** Why the code that executes the run cannot be reached, while it cannot (DUR8). */
export interface DispatchFailure {
  readonly since: number;
  readonly failures: number;
  readonly retryAt?: number | undefined;
  /** What the last try ran into. */
  readonly message: string;
}

export type WaitpointKind = "DATETIME" | "EVENT" | "SIGNAL" | "MANUAL" | "RUN";

export interface Waitpoint {
  readonly id: string;
  readonly kind: WaitpointKind;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly wakeAt?: number | undefined;
}

export type StepStatus = "running" | "retrying" | "completed" | "failed" | "skipped";

/** How far an operation with attempts is: a step, or the compensation of one. */
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
  readonly compensation?: AttemptedWork | undefined;
}

export interface RunStream {
  readonly chunks: number;
  readonly ended: boolean;
  /** A higher generation replaces what an earlier one brought (STR1). */
  readonly generation: number;
}

/** The whole record. What JSON cannot hold is shown as text. */
export interface RunRecord<Output = unknown> extends RunSummary {
  readonly input: unknown;
  readonly output?: Output | undefined;
  readonly steps: readonly RunStep[];
  readonly streams: Readonly<Record<string, RunStream>>;
  /** Steps or values were left out: `/journal` has them all. */
  readonly truncated?: true;
}

/** An entry of the journal as `/journal` shows it. The other fields depend on `type`. */
export interface RunJournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly operation: { readonly kind: string; readonly occurrence: number; readonly name: string };
  readonly [field: string]: unknown;
}

/** Something that a caller did to the run (SEC2). */
export interface AuditEntry {
  readonly at: number;
  readonly action: string;
  readonly by: string;
  /** What was delivered, or the reason. Never a secret. */
  readonly detail?: string;
}

/** `resolved`: a wait took it. `buffered`: kept for a later wait. `duplicate`: taken before. */
export type Delivery = "resolved" | "buffered" | "duplicate";

/** An event of a run's stream (STR2). `id` is the cursor: events after it have not been read. */
export type RunEvent =
  | { readonly type: "run"; readonly id: string; readonly data: RunSummary }
  | {
      readonly type: "chunk";
      readonly id: string;
      /** A higher generation replaces what an earlier one brought (STR1). */
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
  | { readonly type: "metadata"; readonly id: string; readonly data: RunJournalEntry };

/** What became of a request that acts on many runs. */
export interface BulkAnswer {
  readonly asked: number;
  readonly done: number;
  readonly refused: readonly { readonly id: string; readonly error: string; readonly message: string }[];
  readonly nextCursor: string | null;
}
