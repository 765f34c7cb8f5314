/**
 * The schemas of the messages to the orchestrator, on each pipe (SEC10).
 *
 * Owns: the fields of each type of event, the report, the bodies that execute, and what turns and lines add to them.
 * Events of unknown types are accepted here: the orchestrator refuses them by their name (VER2).
 */
import type { ErrorValue } from "../errors.ts";
import type { ExecutionEvent, ExecutionReport } from "../execution.ts";
import { LIMITS } from "../limits.ts";
import { change } from "./journal.ts";
import {
  anyOperation,
  count,
  date,
  duration,
  encoded,
  error,
  finite,
  flag,
  id,
  mark,
  name,
  names,
  oneOf,
  operation,
  position,
  progress,
  text,
  time,
  value,
  word,
} from "./parts.ts";
import { type Problem, type Schema, isRecord, knownPart, listOf, optional, record, that, variant } from "./schema.ts";

/** Further fields of each event about an operation. */
const about = { nth: position, quiet: mark, shielded: mark, after: optional(count), use: optional(count) };
const attempts = operation("step", "compensation", "stream");
const wait = operation("sleep", "event", "signal", "token", "send");
const topic = record({
  key: name,
  since: optional(that("must be a time or now", (given) => given === "now" || Number.isFinite(given))),
  last: optional(count),
  allowGap: mark,
});
const attemptNumber = that(
  `must be a whole number from 1 to ${LIMITS.stepAttempts}`,
  (given) => Number.isSafeInteger(given) && Number(given) >= 1 && Number(given) <= LIMITS.stepAttempts,
);
/** Of any type: an author may pass something else. The orchestrator checks it as a workflow's limit (FLOW1), and fails the step. */
const limit = that("must be a limit", () => true);
const attempt = { op: attempts, ...about, attempt: attemptNumber, startedAt: time, progress };

const policy: Schema = record({
  max: attemptNumber,
  backoff: oneOf("exponential", "linear", "fixed"),
  initialMs: duration,
  maxDelayMs: duration,
});
const retry: Schema = Object.assign(
  (given: unknown, decode: boolean): Problem | undefined => (given === null ? undefined : policy(given, decode)),
  policy,
);

/** The fields of each type of event. */
export const EVENTS: Readonly<Record<ExecutionEvent["type"], Schema>> = {
  "step.started": record({ op: attempts, ...about, startedAt: time }),
  "step.wants": record({ op: operation("step"), ...about, attempt: attemptNumber, limit }),
  "step.completed": record({ ...attempt, value, compensable: mark }),
  "step.failed": record({ ...attempt, error, retry, retryAfterMs: optional(finite) }),
  inherited: record({ op: anyOperation, ...about, compensable: mark, from: optional(anyOperation) }),
  "wait.opened": record({
    op: wait,
    ...about,
    afterMs: optional(duration),
    wakeAt: optional(date),
    tokenId: optional(id),
    public: mark,
    match: optional(value),
    ask: optional(text(LIMITS.valueChars)),
    topic: optional(topic),
    send: optional(record({ data: value, key: optional(name), refused: optional(text(LIMITS.valueChars)) })),
  }),
  "wait.released": record({ op: operation("sleep", "event", "signal", "token", "run"), ...about, value }),
  "child.started": record({
    op: operation("run"),
    ...about,
    workflowId: name,
    workflowVersion: optional(name),
    input: value,
    tags: listOf(name, LIMITS.tags),
    idempotencyKey: optional(name),
    detached: flag,
  }),
  "metadata.changed": record({ op: operation("metadata"), ...about, change }),
  "stream.started": record({ op: operation("stream"), ...about }),
  "stream.chunks": record({
    op: operation("stream"),
    ...about,
    first: count,
    chunks: listOf(encoded(LIMITS.chunkChars)),
  }),
  "run.unwinding": record({
    op: operation("unwind"),
    ...about,
    cause: oneOf("failure", "request"),
    error,
    step: optional(anyOperation),
  }),
  parked: record({ seq: count, now: time }),
  "race.opened": record({ ops: listOf(anyOperation, LIMITS.openOperations), cancelLosers: mark }),
  "cleanup.started": record({}),
  "cleanup.timed_out": record({}),
  unparked: record({}),
  "run.completed": record({ output: value }),
  "run.failed": record({ error, step: optional(anyOperation) }),
  "run.unwound": record({}),
  "run.diverged": record({ error }),
};

const event: Schema = variant(EVENTS, record({}));

export const report: Schema = record({
  epoch: count,
  asked: count,
  events: listOf(event),
  remote: optional(flag),
  keeps: optional(flag),
  version: optional(name),
});

/** Returns the events of a checked report without the fields that this version does not know: nothing stores them. */
export function knownEvents({ events }: ExecutionReport): readonly ExecutionEvent[] {
  return events.map((one) => knownPart(one, event));
}

export const stepsInProgress: Schema = listOf(
  record({ op: anyOperation, attempt: count, startedAt: time, progress }),
  LIMITS.openOperations,
);

const changes = { began: stepsInProgress, ended: listOf(anyOperation, LIMITS.openOperations) };

export const bodiesChanged: Schema = record(changes);

export const lost: Schema = error;

/** The number of the entry before the page. */
export const pageRequest: Schema = count;

/** Returns a checked error without the fields that this version does not know. */
export function knownError(given: ErrorValue): ErrorValue {
  return knownPart(given, error);
}

const bodies = {
  inProgress: optional(stepsInProgress),
  began: optional(stepsInProgress),
  executing: optional(count),
};

/** The content of a report is checked where it is committed. */
const anyReport: Schema = record({});

/** The content of the answer to a turn. */
export const turnContent: Schema = variant({
  report: record({ number: count, report: anyReport, ...bodies }),
  page: record({ after: pageRequest }),
  busy: record(bodies),
  idle: record({}),
  lost: record({ error }),
  unknown_session: record({ upMs: optional(finite) }),
  wrong_instance: record({ mine: word, upMs: finite }),
});

/** The fields of each answer to a turn. */
export const turnEnvelope: Schema = record({ session: word, instance: optional(word), stateless: optional(flag) });

export const lineToOrchestrator: Schema = variant({
  report: record({ report: anyReport }),
  page: record({ after: pageRequest }),
  bodies: record(changes),
  lost: record({ error }),
});

const jsonSchema = that("must be a JSON Schema", (one) => typeof one === "boolean" || isRecord(one));

export const workflowsAnswer: Schema = record({
  protocol: finite,
  instance: optional(word),
  workflows: listOf(
    record({
      id: name,
      version: optional(name),
      description: optional(text(LIMITS.valueChars)),
      tags: optional(names),
      timeoutMs: optional(duration),
      inputSchema: optional(jsonSchema),
      flow: optional(record({})),
    }),
  ),
});
