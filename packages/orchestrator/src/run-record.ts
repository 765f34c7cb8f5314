/**
 * A run as a reader sees it: header and journal as one plain record.
 *
 * Owns: the shape that the HTTP API answers with (docs of the API describe each field). Values are shown as plain JSON.
 * Never shows the seed, stacks, or rows.
 */
import {
  type JournalEntry,
  LIMITS,
  type OperationId,
  type StepInProgress,
  decodeValue,
  errorToJson,
  parseOperationId,
  toJson,
} from "@holdfast/protocol";
import type { OpenWait, RunError, RunHeader } from "./run-header.ts";

/** The run without input, output and steps. */
export function summarizeRun(header: RunHeader): Record<string, unknown> {
  return {
    id: header.id,
    workflowId: header.workflowId,
    workflowVersion: header.workflowVersion ?? null,
    status: header.status,
    phase: "forward",
    error: header.error && describeError(header.error),
    pendingWaitpoints: header.waits.map(describeWait),
    invocationCount: header.epoch,
    tags: header.tags,
    environment: header.environment,
    tenantMeta: header.tenantMeta === undefined ? null : toJson(decodeValue(header.tenantMeta)),
    triggeredBy: header.triggeredBy,
    resumedFrom: header.resumedFrom,
    resumedBy: header.resumedBy.length === 0 ? undefined : header.resumedBy,
    idempotencyKey: header.idempotencyKey,
    createdAt: header.createdAt,
    startAt: header.startAt,
    startedAt: header.startedAt,
    endedAt: header.endedAt,
    updatedAt: header.updatedAt,
    timeoutMs: header.timeoutMs,
  };
}

/** The whole record. `journal`: the first LIMITS.recordSteps entries and one more, if there is one. */
export function describeRun(
  header: RunHeader,
  input: string,
  journal: readonly JournalEntry[],
  inProgress: readonly StepInProgress[],
): Record<string, unknown> {
  const shown = journal.slice(0, LIMITS.recordSteps);
  const last = journal.at(-1);
  return {
    ...summarizeRun(header),
    updatedAt: Math.max(header.updatedAt, last?.at ?? 0),
    input: toJson(decodeValue(input)),
    output: header.output === undefined ? undefined : toJson(decodeValue(header.output)),
    steps: describeSteps(shown, inProgress),
    ...(journal.length > shown.length ? { truncated: true } : {}),
    metadata: {},
    streams: {},
  };
}

/** One journal entry as `/journal` shows it. */
export function describeEntry(entry: JournalEntry): Record<string, unknown> {
  const { v: _version, nth: _nth, asked: _asked, op, ...rest } = entry;
  return {
    ...rest,
    operation: parseOperationId(op),
    ...("value" in entry ? { value: toJson(decodeValue(entry.value)) } : {}),
    ...("error" in entry ? { error: errorToJson(entry.error) } : {}),
    // A token's id is a secret that lets its holder answer.
    ...("tokenId" in entry ? { tokenId: entry.tokenId } : {}),
  };
}

type StepRow = Record<string, unknown>;

function describeSteps(entries: readonly JournalEntry[], inProgress: readonly StepInProgress[]): StepRow[] {
  const steps = new Map<OperationId, StepRow>();
  for (const entry of entries) {
    if (entry.type.startsWith("step.")) steps.set(entry.op, { ...steps.get(entry.op), ...describeStep(entry) });
  }
  for (const { op, attempt, startedAt } of inProgress) {
    const before = steps.get(op);
    if (before?.status === "completed" || before?.status === "failed") continue;
    steps.set(op, {
      ...nameOf(op),
      ...before,
      status: "running",
      attempts: attempt,
      startedAt: before?.startedAt ?? startedAt,
    });
  }
  return [...steps.values()];
}

function describeStep(entry: JournalEntry): StepRow {
  switch (entry.type) {
    case "step.started":
      return { ...nameOf(entry.op), status: "running", attempts: 1, startedAt: entry.startedAt };
    case "step.retrying":
      return {
        ...nameOf(entry.op),
        status: "retrying",
        attempts: entry.attempt,
        startedAt: entry.startedAt,
        retryAt: entry.retryAt,
        error: errorToJson(entry.error),
      };
    case "step.completed":
      return {
        ...nameOf(entry.op),
        status: entry.seeded === true ? "skipped" : "completed",
        attempts: entry.attempt,
        startedAt: entry.startedAt,
        endedAt: entry.at,
        retryAt: undefined,
        error: undefined,
        output: toJson(decodeValue(entry.value)),
      };
    case "step.failed":
      return {
        ...nameOf(entry.op),
        status: "failed",
        attempts: entry.attempt,
        startedAt: entry.startedAt,
        endedAt: entry.at,
        retryAt: undefined,
        error: errorToJson(entry.error),
      };
    case "wait.opened":
    case "wait.resolved":
    case "wait.timed_out":
      return {};
  }
}

function nameOf(op: OperationId): { name: string; occurrence: number } {
  const { name, occurrence } = parseOperationId(op);
  return { name, occurrence };
}

function describeWait(wait: OpenWait): Record<string, unknown> {
  const { op, kind, name, openedAt, wakeAt, tokenId } = wait;
  const meta =
    kind === "EVENT" ? { eventType: name } : kind === "SIGNAL" ? { name } : kind === "MANUAL" ? { tokenId } : {};
  return { id: op, kind, meta: { ...meta, openedAt }, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

function describeError(error: RunError): Record<string, unknown> {
  const { category, step, ...value } = error;
  return { category, ...errorToJson(value), ...(step === undefined ? {} : { step: parseOperationId(step).name }) };
}
