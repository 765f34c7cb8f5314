/**
 * What the API answers, as the client sees it. docs/http-api.md describes each field.
 */
import type { Duration } from "@holdfast/protocol";

export type RunStatus =
  | "pending"
  | "running"
  | "waiting"
  | "paused"
  | "completed"
  | "failed"
  | "cancelled"
  | "compensated"
  | "compensation_failed";

export interface RunErrorInfo {
  readonly category?: "USER_ERROR" | "RUNTIME_ERROR";
  readonly code?: string;
  readonly name?: string;
  readonly message: string;
  readonly step?: string;
  readonly data?: unknown;
}

/** A run as a list shows it. */
export interface ListedRun {
  readonly id: string;
  readonly workflowId: string;
  readonly workflowVersion: string | null;
  readonly status: RunStatus;
  readonly error?: RunErrorInfo;
  readonly tags: readonly string[];
  readonly environment: string;
  readonly triggeredBy: string;
  readonly tenantId?: string;
  readonly parent?: { readonly runId: string; readonly detached?: boolean };
  readonly resumedFrom?: { readonly runId: string; readonly step?: string };
  /** All times are milliseconds since 1970. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly updatedAt: number;
}

export interface RunSummary extends ListedRun {
  readonly phase: "forward" | "compensating";
  readonly pendingWaitpoints: readonly Waitpoint[];
  readonly uncompensated?: readonly {
    readonly name: string;
    readonly occurrence: number;
    readonly error: RunErrorInfo;
  }[];
  readonly dispatch?: {
    readonly since: number;
    readonly failures: number;
    readonly retryAt?: number;
    readonly message: string;
  };
  readonly invocationCount: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tenantMeta: unknown;
  readonly resumedBy?: readonly string[];
  readonly idempotencyKey?: string;
  readonly startAt?: number;
  readonly timeoutMs?: number;
}

export interface Waitpoint {
  readonly id: string;
  readonly kind: "DATETIME" | "EVENT" | "SIGNAL" | "MANUAL" | "RUN";
  readonly meta: Readonly<Record<string, unknown>>;
  readonly wakeAt?: number;
}

export interface RunStep {
  readonly name: string;
  readonly occurrence: number;
  readonly status: "running" | "retrying" | "completed" | "failed" | "skipped";
  readonly attempts: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly retryAt?: number;
  readonly output?: unknown;
  readonly error?: RunErrorInfo;
  readonly compensation?: Omit<RunStep, "name" | "occurrence" | "output">;
}

/** Values are plain JSON here: what JSON cannot hold is shown as the API shows it. */
export interface RunRecord<Output = unknown> extends RunSummary {
  readonly input: unknown;
  readonly output?: Output;
  readonly steps: readonly RunStep[];
  readonly streams: Readonly<
    Record<string, { readonly chunks: number; readonly ended: boolean; readonly generation: number }>
  >;
  readonly truncated?: true;
}

export interface JournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly operation: { readonly kind: string; readonly occurrence: number; readonly name: string };
  readonly [field: string]: unknown;
}

export interface AuditEntry {
  readonly at: number;
  readonly action: string;
  readonly by: string;
  readonly detail?: string;
}

/** `resolved`: a wait took it. `buffered`: kept for a wait to come. `duplicate`: taken before. */
export type Delivery = "resolved" | "buffered" | "duplicate";

/** An event of a run's stream. `id` is where to go on behind it. */
export type RunEvent =
  | { readonly type: "run"; readonly id: string; readonly data: RunSummary }
  | {
      readonly type: "chunk";
      readonly id: string;
      /** A higher generation replaces what an earlier one brought. */
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
      readonly data: JournalEntry & { readonly name: string; readonly occurrence: number; readonly status: string };
    }
  | { readonly type: "metadata"; readonly id: string; readonly data: JournalEntry };

export interface RunFilter {
  readonly workflowId?: string;
  readonly status?: RunStatus;
  /** Runs that have all of them. */
  readonly tag?: string | readonly string[];
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  readonly parentRunId?: string;
}

export interface ListOptions extends RunFilter, CallOptions {
  readonly order?: "asc" | "desc";
  readonly limit?: number;
  readonly cursor?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface TriggerOptions extends CallOptions {
  readonly runId?: string;
  /** Without it, and without a `runId`, one is made, so that a repetition of the request makes no second run. */
  readonly idempotencyKey?: string;
  readonly workflowVersion?: string;
  readonly tags?: readonly string[];
  readonly delay?: Duration;
  readonly timeout?: Duration;
  readonly environment?: string;
  readonly tenantMeta?: Readonly<Record<string, unknown>>;
  /** W3C Trace Context, to be kept with the run. */
  readonly traceparent?: string;
}

export interface ResumeOptions extends CallOptions {
  readonly runId?: string;
  readonly input?: unknown;
  readonly workflowId?: string;
  readonly resumeFromStep?: string | { readonly name: string; readonly occurrence: number };
  readonly seedResults?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  readonly triggeredByUserId?: string;
}

export interface BulkOptions extends CallOptions {
  readonly action: "cancel" | "retry";
  readonly reason?: string;
  readonly ids?: readonly string[];
  readonly filter?: Omit<RunFilter, "tag"> & { readonly tag?: readonly string[] };
  readonly cursor?: string;
}

export interface BulkAnswer {
  readonly asked: number;
  readonly done: number;
  readonly refused: readonly { readonly id: string; readonly error: string; readonly message: string }[];
  readonly nextCursor: string | null;
}

export interface WorkflowInfo {
  readonly id: string;
  readonly version?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly timeoutMs?: number;
}
