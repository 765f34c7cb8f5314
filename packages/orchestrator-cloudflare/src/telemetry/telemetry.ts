/**
 * Events about runs for logs, metrics and traces (OBS2).
 *
 * Owns: the events, and their derivation from commits. Only committed changes are reported. Reports are best effort: if
 * the object dies right after a commit, no event is reported; the journal is complete.
 */
import { JOURNAL_PREFIX, type RunHeader, type WriteBatch } from "@holdfast/orchestrator";
import { type JournalEntry, isTerminal, parseOperationId } from "@holdfast/protocol";
import * as v from "valibot";
import { hideTokenUrls } from "../token-urls.ts";
import { checkOptions } from "../options.ts";

export interface TelemetryEvent {
  /** `run.*`: a change of status. `step.*`: a journal entry. `dispatch.failed`: a failed dispatch. */
  readonly type:
    | "run.created"
    | "run.running"
    | "run.waiting"
    | "run.paused"
    | "run.ended"
    | "step.completed"
    | "step.failed"
    | "step.retrying"
    | "dispatch.failed";
  readonly level: "info" | "warn" | "error";
  readonly at: number;
  readonly runId: string;
  readonly workflowId: string;
  readonly tenantId?: string | undefined;
  /** The number of the execution within the run (DUR6). */
  readonly epoch: number;
  readonly traceparent?: string | undefined;
  readonly status?: string | undefined;
  /** The operation id of the step, as in the journal, for example `step/0/charge`. */
  readonly operation?: string | undefined;
  /** Of `run.waiting`: the operation ids of the first open waits, for example `signal/0/approval`. */
  readonly waits?: readonly string[] | undefined;
  readonly attempt?: number | undefined;
  /** The time of an ended run since its start, or of a step's attempt since the start of its body, ms. */
  readonly durationMs?: number | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** The stack of the error. It is for the operators of the deployment: pass it to no caller of the API (SEC4). */
  readonly stack?: string | undefined;
}

/** The growth of a counter in a time. Its name is that of `/metrics`. */
export interface CounterGrowth {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface Telemetry {
  /** Called synchronously for each event: it must return quickly. */
  readonly event?: (event: TelemetryEvent) => void;
  /** Called with the header and journal of each ended run. `otlpExporter` exports them as spans. */
  readonly ended?: (header: RunHeader, journal: readonly JournalEntry[]) => Promise<void>;
  /**
   * Called with the growth of the counters of this isolate, at most every 15 s. What it rejects is part of the next call.
   * `otlpCounters` exports it.
   */
  readonly counted?: (growth: readonly CounterGrowth[]) => Promise<void>;
}

/** The maximum number of waits that an event names. */
const WAITS_MAX = 4;

const LOG_OPTIONS = v.strictObject({ all: v.optional(v.boolean("must be true or false")) });

/** Writes events as JSON lines to the Worker's log: warnings and errors only, unless `all`. */
export function logEvents(options: { readonly all?: boolean } = {}): (event: TelemetryEvent) => void {
  checkOptions(LOG_OPTIONS, options, "logEvents");
  const { all = false } = options;
  return (event) => {
    if (event.level === "info" && !all) return;
    const write = event.level === "error" ? console.error : event.level === "warn" ? console.warn : console.log;
    // The message of an author's error may quote the URL of a token.
    write(hideTokenUrls(JSON.stringify({ source: "holdfast", ...event })));
  };
}

/** Returns the events of one commit. */
export function eventsOf(before: RunHeader | undefined, header: RunHeader, batch: WriteBatch): TelemetryEvent[] {
  const { id, workflowId, tenantId, epoch, traceparent } = header;
  const run = { runId: id, workflowId, tenantId, epoch, traceparent };
  const events: TelemetryEvent[] = [];
  for (const [key, row] of batch.puts) {
    const event = key.startsWith(JOURNAL_PREFIX) ? stepEvent(row as JournalEntry) : undefined;
    if (event !== undefined) events.push({ ...run, ...event });
  }
  const failures = header.dispatch?.failures ?? 0;
  if (failures > (before?.dispatch?.failures ?? 0)) {
    const { message } = header.dispatch ?? {};
    events.push({ ...run, type: "dispatch.failed", level: "warn", at: header.updatedAt, message });
  }
  if (header.status !== before?.status) events.push({ ...run, ...runEvent(before, header) });
  return events;
}

function stepEvent(entry: JournalEntry): Omit<TelemetryEvent, "runId" | "workflowId" | "epoch"> | undefined {
  if (entry.type !== "step.completed" && entry.type !== "step.failed" && entry.type !== "step.retrying")
    return undefined;
  const { kind } = parseOperationId(entry.op);
  if (kind !== "step" && kind !== "compensation") return undefined;
  const error = "error" in entry ? entry.error : undefined;
  return {
    type: entry.type,
    level: entry.type === "step.completed" ? "info" : "warn",
    at: entry.at,
    operation: entry.op,
    attempt: entry.attempt,
    durationMs: Math.max(0, entry.at - entry.startedAt),
    code: error?.code,
    message: error?.message,
    stack: error?.stack,
  };
}

function runEvent(
  before: RunHeader | undefined,
  header: RunHeader,
): Omit<TelemetryEvent, "runId" | "workflowId" | "epoch"> {
  const { status, updatedAt: at, error } = header;
  const failed = error === undefined ? {} : { code: error.code, message: error.message, stack: error.stack };
  if (isTerminal(status)) {
    const level = status === "completed" ? "info" : status === "compensation_failed" ? "error" : "warn";
    const durationMs = at - (header.startedAt ?? header.createdAt);
    return { type: "run.ended", level, at, status, durationMs, ...failed };
  }
  if (status === "paused") {
    const level = header.paused?.by === "engine" ? "error" : "info";
    return { type: "run.paused", level, at, status, ...(level === "error" ? failed : {}) };
  }
  if (before === undefined) return { type: "run.created", level: "info", at, status };
  if (status !== "waiting") return { type: "run.running", level: "info", at, status };
  return {
    type: "run.waiting",
    level: "info",
    at,
    status,
    waits: header.waits.slice(0, WAITS_MAX).map(({ op }) => op),
  };
}
