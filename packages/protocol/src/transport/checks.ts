/**
 * Checks of the shapes of messages on receipt (SEC10).
 *
 * Owns: the combinators, and the messages of both sides. They check what the code of the receiver relies on. They accept
 * further fields and types of events, because the orchestrator decides what newer code may send (VER2).
 */
import { isEnveloped } from "../envelope.ts";
import type { ErrorValue } from "../errors.ts";
import type {
  AbortReason,
  ExecutionReport,
  ExecutionStart,
  ExecutionUpdate,
  ReportAnswer,
  StepInProgress,
} from "../execution.ts";
import type { JournalEntry } from "../journal.ts";
import { LIMITS } from "../limits.ts";
import type { BodiesChanged } from "../rpc.ts";
import { decodeValue } from "../values.ts";

export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === "string";
export const isFlag: Check = (value) => typeof value === "boolean";
export const isNumber: Check = (value) => Number.isFinite(value);
export const isCount: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
export const matching =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
export const listOf =
  (one: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(one);
export const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
export const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isOperation = matching(/^[a-z]+\/\d+\//);

/** An encoded value. One that newer code encoded is not decoded here (VER4). */
const isValue: Check = (value) => {
  if (typeof value !== "string") return false;
  if (isEnveloped(value)) return true;
  try {
    decodeValue(value);
    return true;
  } catch {
    return false;
  }
};

const isError = record({ name: isText, message: isText, data: maybe(isValue) });

const entry = record({ seq: isCount, at: isNumber, asked: isCount, nth: isCount, op: isText, type: isText });
const page = listOf(entry);
const update = record({ entries: listOf(entry), now: isNumber, paused: maybe(isFlag) });
const start = record({
  protocol: isNumber,
  epoch: isCount,
  run: record({
    id: isText,
    tags: listOf(isText),
    number: isCount,
    startedAt: isNumber,
    triggeredBy: isText,
    environment: isText,
    runKey: maybe(matching(/^[0-9a-f]{32}$/)),
    publicTokens: maybe(isText),
  }),
  workflowId: isText,
  workflowVersion: maybe(isText),
  input: isText,
  seed: matching(/^[0-9a-f]{32}$/),
  flags: maybe(listOf(isCount)),
  journal: listOf(entry),
  more: maybe(record({ lastSeq: isCount, tokens: listOf(listOf(isText)) })),
  inherited: listOf(isText),
  announcesBodies: maybe(isFlag),
  paused: isFlag,
  now: isNumber,
  clockStart: isNumber,
});
const answer = record({ accepted: isFlag, entries: maybe(listOf(entry)), now: maybe(isNumber) });
const abort = record({ type: isText });

const operation = { op: isOperation, nth: isCount };
const attempt = { ...operation, attempt: isCount, startedAt: isNumber, progress: maybe(isValue) };
const isPolicy = record({ max: isNumber, backoff: isText, initialMs: isNumber, maxDelayMs: isNumber });

const CHANGES: Readonly<Record<string, Check>> = {
  set: record({ key: isText, value: isValue }),
  append: record({ key: isText, value: isValue }),
  increment: record({ key: isText, by: isNumber }),
  remove: record({ key: isText }),
};

/** The check of each type of event. */
const EVENTS: Readonly<Record<string, Check>> = {
  "step.started": record({ ...operation, startedAt: isNumber }),
  "step.completed": record({ ...attempt, value: isValue }),
  "step.failed": record({
    ...attempt,
    error: isError,
    retry: (value) => value === null || isPolicy(value),
    retryAfterMs: maybe(isNumber),
  }),
  inherited: record(operation),
  "wait.opened": record({
    ...operation,
    afterMs: maybe(isNumber),
    wakeAt: maybe(isNumber),
    tokenId: maybe(isText),
    match: maybe(isValue),
  }),
  "child.started": record({
    ...operation,
    workflowId: isText,
    workflowVersion: maybe(isText),
    input: isValue,
    tags: listOf(isText),
    idempotencyKey: maybe(isText),
    detached: isFlag,
  }),
  "metadata.changed": record({
    ...operation,
    change: (change) => isRecord(change) && (CHANGES[String(change["type"])]?.(change) ?? false),
  }),
  "stream.started": record(operation),
  "stream.chunks": record({ ...operation, first: isCount, chunks: listOf(isValue) }),
  "run.unwinding": record({ ...operation, cause: isText, error: isError, step: maybe(isOperation) }),
  parked: record({ seq: isCount, now: isNumber }),
  unparked: () => true,
  "run.completed": record({ output: isValue }),
  "run.failed": record({ error: isError, step: maybe(isOperation) }),
  "run.unwound": () => true,
  "run.diverged": record({ error: isError }),
};

function isEvent(event: unknown): boolean {
  if (!isRecord(event) || typeof event["type"] !== "string") return false;
  // The orchestrator answers events that it does not know: their sender is newer (VER2).
  return Object.hasOwn(EVENTS, event["type"]) ? EVENTS[event["type"]]?.(event) === true : true;
}

const report = record({ epoch: isCount, asked: isCount, events: listOf(isEvent) });
const isProgress: Check = (value) => isValue(value) && String(value).length <= LIMITS.progressChars;
const steps = listOf(record({ op: isOperation, attempt: isCount, startedAt: isNumber, progress: maybe(isProgress) }));

const bodiesChanged = record({ began: steps, ended: listOf(isText) });

// Messages to the execution.

export const isExecutionStart = (value: unknown): value is ExecutionStart => start(value);
export const isExecutionUpdate = (value: unknown): value is ExecutionUpdate => update(value);
export const isJournalPage = (value: unknown): value is readonly JournalEntry[] => page(value);
export const isReportAnswer = (value: unknown): value is ReportAnswer => answer(value);
export const isAbortReason = (value: unknown): value is AbortReason => abort(value);

// Messages to the orchestrator.

export const isExecutionReport = (value: unknown): value is ExecutionReport => report(value);
export const isStepsInProgress = (value: unknown): value is readonly StepInProgress[] => steps(value);
export const isBodiesChanged = (value: unknown): value is BodiesChanged => bodiesChanged(value);
export const isErrorValue = (value: unknown): value is ErrorValue => isError(value);
