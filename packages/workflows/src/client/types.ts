/**
 * The options of the client's methods. docs/reference/http-guide.md describes each field. The protocol package defines the answers.
 */
import type { Duration, RunRecord, RunStatus, RunSummary, RunView, WindowRecord } from "@holdfast/protocol";

/** What the answer to an act shows of its run: id and status, and the rest only to callers with the scope `read` (SEC7). */
export type ShownRun<Run extends Pick<RunSummary, "id" | "status"> = RunSummary> = Pick<Run, "id" | "status"> &
  Partial<Run>;

/**
 * What the answer to `trigger` or `resume` shows. If a debounce or batch collects the trigger, `state`, `startsAt` (ms since
 * 1970) and `count` say of which run it becomes a part, and the other fields of a record are absent until it starts (WIN6).
 */
export type StartedRun<Output = unknown> = ShownRun<RunRecord<Output>> &
  Partial<Pick<WindowRecord, "state" | "startsAt" | "count">>;

export interface RunFilter {
  readonly workflowId?: string | undefined;
  readonly status?: RunStatus | undefined;
  /** Selects runs that have all of these tags. */
  readonly tag?: string | readonly string[] | undefined;
  readonly createdAfter?: number | undefined;
  readonly createdBefore?: number | undefined;
  readonly parentRunId?: string | undefined;
}

export interface ListOptions extends RunFilter, CallOptions {
  readonly order?: "asc" | "desc" | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface ApprovalOptions extends CallOptions {
  /** Selects asks that name this assignee. */
  readonly assignee?: string | undefined;
  /** Selects asks with a deadline before this time, milliseconds since 1970. */
  readonly before?: number | undefined;
  /** Asks in one page. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface EndedOptions<V extends RunView = RunView> extends CallOptions {
  /**
   * `record`, the default; `summary`: without steps and streams; `result`: status, output and error. Only the record costs
   * the more, the longer the run is.
   */
  readonly view?: V | undefined;
}

export interface GetOptions<V extends RunView = RunView> extends EndedOptions<V> {
  readonly why?: "deep" | undefined;
  readonly actions?: boolean | undefined;
}

export interface TriggerOptions extends CallOptions {
  readonly runId?: string | undefined;
  /** Default: a new key if `runId` is absent, so that a repeated request starts no second run. */
  readonly idempotencyKey?: string | undefined;
  readonly workflowVersion?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly delay?: Duration | undefined;
  readonly timeout?: Duration | undefined;
  readonly environment?: string | undefined;
  readonly tenantMeta?: Readonly<Record<string, unknown>> | undefined;
  /** W3C Trace Context. It is stored with the run. */
  readonly traceparent?: string | undefined;
}

export interface ResumeOptions extends CallOptions {
  readonly runId?: string | undefined;
  readonly input?: unknown;
  readonly workflowId?: string | undefined;
  readonly resumeFromStep?: string | { readonly name: string; readonly occurrence: number } | undefined;
  readonly seedResults?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly triggeredByUserId?: string | undefined;
}

export interface BulkOptions extends CallOptions {
  readonly action: "cancel" | "retry";
  readonly reason?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly filter?: (Omit<RunFilter, "tag"> & { readonly tag?: readonly string[] | undefined }) | undefined;
  readonly cursor?: string | undefined;
}

/** The answer of `/healthz`. */
export interface Health {
  readonly ok: boolean;
  /** The version of the server. */
  readonly version: string;
  /** An operator holds the deployment: no execution begins. */
  readonly held?: true;
  /** A binding is missing, or a variable is invalid. Each request with credentials is answered with the reason. */
  readonly misconfigured?: true;
}
