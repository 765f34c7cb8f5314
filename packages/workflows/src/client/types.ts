/**
 * The options of the client's methods. docs/http-api.md describes each field. The protocol package defines the answers.
 */
import type { Duration, RunStatus } from "@holdfast/protocol";

export interface RunFilter {
  readonly workflowId?: string;
  readonly status?: RunStatus;
  /** Selects runs that have all of these tags. */
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
  /** Default: a new key if `runId` is absent, so that a repeated request starts no second run. */
  readonly idempotencyKey?: string;
  readonly workflowVersion?: string;
  readonly tags?: readonly string[];
  readonly delay?: Duration;
  readonly timeout?: Duration;
  readonly environment?: string;
  readonly tenantMeta?: Readonly<Record<string, unknown>>;
  /** W3C Trace Context. It is stored with the run. */
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
