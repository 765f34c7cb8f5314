/**
 * The record of a run for readers, from its header and journal.
 *
 * Owns: the conversion into the shapes of the HTTP API (protocol/src/api.ts). Values are plain JSON. A record never
 * contains the seed. The parts of a `View` are there only for readers who may see them.
 */
import {
  type AttemptedWork,
  type BodyInFlight,
  type ChildOutcome,
  type JournalEntry,
  type JsonBudget,
  DEFAULT_LIMITS,
  HOST_LIMITS,
  type MetadataChange,
  type OperationId,
  type RunErrorInfo,
  type RunJournalEntry,
  type RunLimit,
  type RunOverview,
  type RunRecord,
  type RunResult,
  type RunStep,
  type RunStream,
  type RunSummary,
  type StepInProgress,
  defined,
  errorToJson,
  isKnownEntry,
  isTerminal,
  operationId,
  parseOperationId,
  showValue,
} from "@holdfast/protocol";
import { isOperationId } from "./state/newer-format.ts";
import type { Hold } from "./state/hold.ts";
import type { RunError, RunHeader, StreamState } from "./state/run-header.ts";
import type { RunState } from "./state/run-state.ts";
import { describeWait } from "./shown-waits.ts";
import { AUTHORS_VIEW, HIDDEN, type View, shownDispatch, shownFailure } from "./state/view.ts";

/** Makes the record of a run without input, output and steps. `budget`: for its errors and values. */
export function summarizeRun(
  header: RunHeader,
  view: View = AUTHORS_VIEW,
  budget: JsonBudget = { chars: HOST_LIMITS.jsonChars },
): RunSummary {
  return {
    id: header.id,
    workflowId: header.workflowId,
    workflowVersion: header.workflowVersion ?? null,
    status: header.status,
    phase: header.unwinding === undefined || isTerminal(header.status) ? "forward" : "compensating",
    error: header.error && describeError(header.error, view, budget),
    dispatch: isDispatched(header) && header.dispatch ? shownDispatch(header.dispatch, view) : undefined,
    ...describeRemains(header, budget),
    limits: describeHolds(header),
    ...describeStart(header),
    pendingWaitpoints: header.waits.map((wait) => describeWait(wait, view, budget)),
    invocationCount: header.epoch,
    metadata: describeMetadata(header, budget),
    tags: header.tags,
    environment: header.environment,
    tenantMeta: header.tenantMeta === undefined ? null : showValue(header.tenantMeta, budget),
    triggeredBy: header.triggeredBy,
    parent: header.parent && { runId: header.parent.runId, detached: header.parent.detached },
    resumedFrom: header.resumedFrom,
    resumedBy: header.resumedBy.length === 0 ? undefined : header.resumedBy,
    idempotencyKey: header.idempotencyKey,
    tenantId: header.tenantId,
    traceparent: header.traceparent,
    createdAt: header.createdAt,
    startAt: header.startAt,
    startedAt: header.startedAt,
    endedAt: header.endedAt,
    updatedAt: header.updatedAt,
    timeoutMs: header.timeoutMs,
  };
}

type Remains = Pick<RunSummary, "uncompensated" | "undone" | "inFlight" | "cleanup">;

/** What a run that has stopped leaves. */
function describeRemains({ uncompensated, undone, inFlight, cleanup }: RunHeader, budget: JsonBudget): Remains {
  return {
    uncompensated: uncompensated?.map(({ op, error }) => ({ ...nameOf(op), error: errorToJson(error, budget) })),
    undone: undone?.slice(0, HOST_LIMITS.remains).map(nameOf),
    inFlight: inFlight?.slice(0, HOST_LIMITS.remains).map(describeBody),
    cleanup,
  };
}

/** Whether a failure to reach the step handler keeps the run from executing. */
function isDispatched({ status, undescribed }: RunHeader): boolean {
  return status === "running" || (status === "pending" && undescribed !== undefined);
}

/** The tick or the event that started the run. */
function describeStart({ schedule, event }: RunHeader): Pick<RunSummary, "schedule" | "event"> {
  return defined({
    schedule: schedule && { id: schedule.id, kind: schedule.kind, nominal: schedule.nominal },
    event: event && { id: event.id, name: event.name, trigger: event.trigger },
  });
}

function describeHolds({ holds, stepHolds }: RunHeader): RunLimit[] | undefined {
  if (holds === undefined && stepHolds === undefined) return undefined;
  const ofSteps = stepHolds?.map((hold) => ({
    ...describeHold({ ...hold, mode: "step" }),
    step: parseOperationId(hold.op).name,
  }));
  return [...(holds?.map(describeHold) ?? []), ...(ofSteps ?? [])];
}

type ShownHold = Pick<Hold, "limit" | "key" | "state" | "scope" | "enqueuedAt" | "position" | "startAt"> &
  Pick<RunLimit, "mode">;

function describeHold({ limit: name, key, scope, mode, state, enqueuedAt, position, startAt }: ShownHold): RunLimit {
  return { name, key, scope, mode, state, enqueuedAt, position, startAt };
}

function describeMetadata({ metadata }: RunHeader, budget: JsonBudget): Record<string, unknown> {
  return Object.fromEntries(metadata.map(([key, value]) => [key, showValue(value, budget)]));
}

/**
 * Makes the record, without its reasons (`why/`). `journal`: the first `recordSteps` entries, and the next one if it exists. It is read once, and
 * no entry is held longer than its own description takes.
 */
export function describeRun(
  header: RunHeader,
  input: string,
  journal: Iterable<JournalEntry>,
  inProgress: readonly StepInProgress[],
  openChunks: (op: OperationId) => number,
  recordSteps: number = DEFAULT_LIMITS.recordSteps,
  view: View = AUTHORS_VIEW,
): Omit<RunRecord, "why"> {
  const budget = budgetOf(view);
  const read = { entries: 0, lastAt: 0 };
  const overview = describeOverview(header, input, view, budget);
  const steps = describeSteps(firstOf(journal, recordSteps, read), inProgress, budget);
  return {
    ...overview,
    steps,
    updatedAt: Math.max(header.updatedAt, read.lastAt),
    ...(read.entries > recordSteps || budget.chars <= 0 ? { truncated: true as const } : {}),
    streams: Object.fromEntries(header.streams.map((stream) => describeStream(stream, openChunks))),
  };
}

/** Makes the record without what grows with the history, and without its reasons (API7). Reads no entry. */
export function describeOverview(
  header: RunHeader,
  input: string,
  view: View,
  budget: JsonBudget = budgetOf(view),
): Omit<RunOverview, "why"> {
  const isCut = [header.undone, header.inFlight].some((list) => (list?.length ?? 0) > HOST_LIMITS.remains);
  // The order of the fields is the order in which they use the budget.
  const shown = {
    ...summarizeRun(header, view, budget),
    input: showValue(input, budget),
    output: header.output === undefined ? undefined : showValue(header.output, budget),
  };
  return { ...shown, ...(isCut || budget.chars <= 0 ? { truncated: true as const } : {}) };
}

/** Makes what a caller that waits for the end needs (API7). Reads no row. */
export function describeResult({ id, status, error, output }: RunHeader, view: View): RunResult {
  const budget = budgetOf(view);
  const shown = {
    id,
    status,
    error: error && describeError(error, view, budget),
    output: output === undefined ? undefined : showValue(output, budget),
  };
  return { ...shown, ...(budget.chars <= 0 ? { truncated: true as const } : {}) };
}

function budgetOf({ stacks }: View): JsonBudget {
  return { chars: HOST_LIMITS.jsonChars, stacks };
}

/** Yields the first entries. `read` counts all, and gets the time of the last one. */
function* firstOf(
  journal: Iterable<JournalEntry>,
  count: number,
  read: { entries: number; lastAt: number },
): Generator<JournalEntry, void> {
  for (const entry of journal) {
    read.entries += 1;
    read.lastAt = entry.at;
    if (read.entries <= count) yield entry;
  }
}

/** Returns the deliveries that an ended run accepted and did not consume; `undefined`: none (WAIT12). */
export function describeLeftOver({ header, inbox }: RunState, view: View = AUTHORS_VIEW): RunRecord["leftOver"] {
  if (header === undefined || !isTerminal(header.status)) return undefined;
  const left = [...inbox.values()].flatMap(({ kind, name, at, deliveryId }) =>
    kind === "child" ? [] : [{ kind, name: kind === "token" && !view.tokenIds ? HIDDEN : name, at, deliveryId }],
  );
  return left.length === 0 ? undefined : { count: left.length, deliveries: left.slice(0, HOST_LIMITS.leftOver) };
}

/** Converts a journal entry for an answer of `/journal`. */
export function describeEntry(entry: JournalEntry, budget: JsonBudget, view: View = AUTHORS_VIEW): RunJournalEntry {
  const { v: _version, quiet: _quiet, op, ...fields } = entry;
  const { tokenId, ...others }: Omit<typeof fields, never> & { readonly tokenId?: string } = fields;
  const rest = { ...others, ...(tokenId === undefined || !view.tokenIds ? {} : { tokenId }) };
  if (!isKnownEntry(entry)) return { ...withoutStack(rest), operation: operationOf(op) };
  return {
    ...rest,
    operation: operationOf(op),
    ...("value" in entry ? { value: showValue(entry.value, budget) } : {}),
    ...("progress" in entry ? { progress: showProgress(entry, budget) } : {}),
    ...("error" in entry ? { error: errorToJson(entry.error, budget) } : {}),
    ...(entry.type === "child.ended" ? { outcome: describeOutcome(entry.outcome, budget) } : {}),
    ...(entry.type === "metadata.changed" ? { change: describeChange(entry.change, budget) } : {}),
    ...("by" in entry ? { by: operationOf(entry.by) } : {}),
  };
}

/** Removes the stack from the error of an entry that newer code wrote. */
function withoutStack<T extends object>(rest: T): T {
  if (!("error" in rest) || typeof rest.error !== "object") return rest;
  const { stack: _stack, ...error } = Object(rest.error);
  return { ...rest, error };
}

/** Returns the operation of an entry. If this version cannot read it, only the name is set. */
function operationOf(op: unknown): RunJournalEntry["operation"] {
  return isOperationId(op) ? parseOperationId(op) : { kind: "", occurrence: 0, name: typeof op === "string" ? op : "" };
}

function describeOutcome(outcome: ChildOutcome, budget: JsonBudget): Record<string, unknown> {
  if ("output" in outcome) return { ...outcome, output: showValue(outcome.output, budget) };
  return { ...outcome, error: errorToJson(outcome.error, budget) };
}

function describeChange(change: MetadataChange, budget: JsonBudget): Record<string, unknown> {
  return "value" in change ? { ...change, value: showValue(change.value, budget) } : { ...change };
}

/** A journal entry about a step. */
type StepEntry = Extract<
  JournalEntry,
  { readonly type: "step.started" | "step.retrying" | "step.completed" | "step.failed" }
>;

function isStepEntry(entry: JournalEntry): entry is StepEntry {
  return entry.type.startsWith("step.") && isKnownEntry(entry) && isOperationId(entry.op);
}

function describeSteps(
  entries: Iterable<JournalEntry>,
  inProgress: readonly StepInProgress[],
  budget: JsonBudget,
): RunStep[] {
  const steps = new Map<OperationId, RunStep>();
  for (const entry of entries) {
    if (!isStepEntry(entry)) continue;
    const { kind, name, occurrence } = parseOperationId(entry.op);
    if (kind === "step") steps.set(entry.op, { ...steps.get(entry.op), ...describeStep(entry, budget) });
    if (kind !== "compensation") continue;
    const step = operationId("step", occurrence, name);
    const before = steps.get(step);
    if (before !== undefined) steps.set(step, { ...before, compensation: describeCompensation(entry, budget) });
  }
  for (const body of inProgress) {
    const { kind, name, occurrence } = parseOperationId(body.op);
    const step = operationId("step", occurrence, name);
    const before = steps.get(step);
    if (kind === "step") {
      if (hasEnded(before)) continue;
      const progress = showProgress(body, budget);
      steps.set(step, { ...nameOf(step), ...before, ...startedAttempt(body, before), progress });
    } else if (kind === "compensation" && !hasEnded(before?.compensation)) {
      // Only a completed step is compensated. Its entry may be after those that the record shows.
      const completed = before ?? { ...nameOf(step), status: "completed", attempts: 0 };
      const { compensation } = completed;
      steps.set(step, { ...completed, compensation: { ...compensation, ...startedAttempt(body, compensation) } });
    }
  }
  return [...steps.values()];
}

function showProgress({ progress }: { readonly progress?: string }, budget: JsonBudget): unknown {
  return progress === undefined ? undefined : showValue(progress, budget);
}

function hasEnded(work: AttemptedWork | undefined): boolean {
  return work?.status === "completed" || work?.status === "failed";
}

function startedAttempt(
  { attempt, startedAt }: StepInProgress,
  before: AttemptedWork | undefined,
): Pick<AttemptedWork, "status" | "attempts" | "startedAt"> {
  return { status: "running", attempts: attempt, startedAt: before?.startedAt ?? startedAt };
}

function describeStep(entry: StepEntry, budget: JsonBudget): RunStep {
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
        error: errorToJson(entry.error, budget),
        progress: showProgress(entry, budget),
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
        output: showValue(entry.value, budget),
        progress: showProgress(entry, budget),
      };
    case "step.failed":
      return {
        ...nameOf(entry.op),
        status: "failed",
        attempts: entry.attempt,
        startedAt: entry.startedAt,
        endedAt: entry.at,
        retryAt: undefined,
        error: errorToJson(entry.error, budget),
        progress: showProgress(entry, budget),
      };
  }
}

/** Converts the newest entry of a step's compensation. */
function describeCompensation(entry: StepEntry, budget: JsonBudget): AttemptedWork {
  const { name: _name, occurrence: _occurrence, output: _output, ...row } = describeStep(entry, budget);
  return row;
}

function describeStream(stream: StreamState, openChunks: (op: OperationId) => number): [string, RunStream] {
  const { op, generation, chunks = openChunks(op) } = stream;
  return [parseOperationId(op).name, { chunks, ended: stream.chunks !== undefined, generation }];
}

function nameOf(op: OperationId): { name: string; occurrence: number } {
  const { name, occurrence } = parseOperationId(op);
  return { name, occurrence };
}

function describeBody(op: OperationId): BodyInFlight {
  const { kind, name, occurrence } = parseOperationId(op);
  return { kind, name, occurrence };
}

function describeError(error: RunError, view: View, budget: JsonBudget): RunErrorInfo {
  const { category, step, ...value } = error.category === "RUNTIME_ERROR" ? shownFailure(error, view) : error;
  return {
    category,
    ...errorToJson(value, budget),
    ...(step === undefined ? {} : { step: parseOperationId(step).name }),
  };
}
