/**
 * One row of the timeline: an operation, as its journal entries and the record describe it (T1, T2).
 *
 * Owns: the spans of a row and its state. A row is a function of the entries of its operation, so that entries may arrive in
 * any order of pages; nothing else of the timeline reads entries.
 */
import { type Entry, type OpenWork, type Operation, fieldOf, numberOf, operationId, textOf } from "./entries.ts";

/** `attempt`: a body executes · `delay`: between two attempts · `wait`, `child`: nothing executes here · `instant`. */
export type SpanKind = "attempt" | "delay" | "wait" | "child" | "instant";

export type RowState =
  | "completed"
  | "failed"
  | "running"
  | "retrying"
  | "waiting"
  | "timed out"
  | "released"
  | "cancelled"
  | "taken over"
  | "not finished";

export interface Span {
  readonly kind: SpanKind;
  readonly from: number;
  /** Absent: the span is open, and ends now. */
  readonly to?: number | undefined;
  readonly state: RowState;
  /** Of an attempt: its number, from 1. */
  readonly attempt?: number | undefined;
  readonly error?: unknown;
}

export interface Row {
  /** Unique in the run: `step/0/charge`. */
  readonly id: string;
  readonly operation: Operation;
  /** The position among the operations that the function requested, from 1. Absent: not known yet. */
  readonly nth?: number | undefined;
  /** Orders rows without `nth`. */
  readonly firstSeq: number;
  readonly from: number;
  readonly spans: readonly Span[];
  readonly state: RowState;
  readonly attempts: number;
  readonly entries: readonly Entry[];
  /** The time at which an open wait, or the delay before a retry, ends. */
  readonly until?: number | undefined;
  /** Of a child: the id of its run. */
  readonly childRunId?: string | undefined;
  /** Of a compensation: the id of the row of its step. */
  readonly compensates?: string | undefined;
}

interface Draft {
  /** Of a run that was resumed: when it was created. Earlier outcomes are those of the run before. */
  readonly resumedAt: number | undefined;
  readonly spans: Span[];
  state: RowState;
  until: number | undefined;
  childRunId: string | undefined;
}

/**
 * Builds the row of an operation. `entries` are sorted by `seq`; `open` is its state in the record, if it has one; `resumedAt`
 * is when the run was created, if it was resumed.
 */
export function buildRow(
  operation: Operation,
  entries: readonly Entry[],
  { open, resumedAt }: { readonly open?: OpenWork | undefined; readonly resumedAt?: number | undefined } = {},
): Row {
  const draft: Draft = { spans: [], state: "running", until: undefined, childRunId: undefined, resumedAt };
  for (const entry of entries) addEntry(draft, entry);
  if (open !== undefined) addOpenWork(draft, open);
  const { spans, state, until, childRunId } = draft;
  const { kind, occurrence, name } = operation;
  return {
    id: operationId(operation),
    operation,
    nth: positionIn(entries),
    firstSeq: entries[0]?.seq ?? Infinity,
    from: spans[0]?.from ?? entries[0]?.at ?? 0,
    spans,
    state,
    attempts: spans.reduce((most, { kind: of, attempt = 1 }) => (of === "attempt" ? Math.max(most, attempt) : most), 0),
    entries,
    until,
    childRunId,
    compensates: kind === "compensation" ? operationId({ kind: "step", occurrence, name }) : undefined,
  };
}

/** A cancel requests its operations without a position, 0. */
function positionIn(entries: readonly Entry[]): number | undefined {
  for (const { nth } of entries) if (typeof nth === "number" && nth > 0) return nth;
  return undefined;
}

/** Ends what is open in an ended run: nothing of it executes any longer. */
export function endRow(row: Row, endedAt: number): Row {
  if (!row.spans.some(({ to }) => to === undefined) && !isOpen(row.state)) return row;
  const spans = row.spans.map((span): Span => {
    if (span.to !== undefined) return span;
    return { ...span, to: Math.max(span.from, endedAt), state: "not finished" };
  });
  return { ...row, spans, until: undefined, state: isOpen(row.state) ? "not finished" : row.state };
}

export function isOpen(state: RowState): boolean {
  return state === "running" || state === "retrying" || state === "waiting";
}

function addEntry(draft: Draft, entry: Entry): void {
  const { at, type } = entry;
  const startedAt = Math.min(numberOf(entry["startedAt"]) ?? at, at);
  const attempt = numberOf(entry["attempt"]) ?? 1;
  switch (type) {
    case "step.started":
    case "stream.started":
      closeOpen(draft, at, "not finished");
      draft.spans.push({ kind: "attempt", from: startedAt, state: "running", attempt });
      draft.state = "running";
      return;
    case "step.retrying":
      addAttempt(draft, { kind: "attempt", from: startedAt, to: at, state: "failed", attempt, error: entry["error"] });
      draft.spans.push({ kind: "delay", from: at, to: numberOf(entry["retryAt"]) ?? at, state: "retrying" });
      draft.until = numberOf(entry["retryAt"]);
      draft.state = "retrying";
      return;
    case "step.completed":
    case "step.failed":
      addOutcome(draft, entry, startedAt, attempt);
      return;
    default:
      addWait(draft, entry);
  }
}

function addOutcome(draft: Draft, entry: Entry, startedAt: number, attempt: number): void {
  const { at, type } = entry;
  const isTakenOver = entry["seeded"] === true || startedAt < (draft.resumedAt ?? -Infinity);
  draft.until = undefined;
  draft.state = type === "step.failed" ? "failed" : isTakenOver ? "taken over" : "completed";
  const { state } = draft;
  // When the body executed in the run before says nothing about this one.
  if (isTakenOver) draft.spans.push({ kind: "instant", from: at, to: at, state, error: entry["error"] });
  else addAttempt(draft, { kind: "attempt", from: startedAt, to: at, state, attempt, error: entry["error"] });
}

/** Adds an attempt that ended. It replaces the open span that its start made. */
function addAttempt(draft: Draft, span: Span): void {
  const { spans } = draft;
  const last = spans.at(-1);
  if (last?.kind === "attempt" && last.to === undefined) spans.pop();
  // The delay ended when this attempt began, however long it was meant to be.
  if (last?.kind === "delay") spans[spans.length - 1] = { ...last, to: Math.max(last.from, span.from) };
  spans.push(span);
}

function addWait(draft: Draft, entry: Entry): void {
  const { at, type } = entry;
  switch (type) {
    case "wait.opened":
      draft.spans.push({ kind: "wait", from: at, state: "waiting" });
      draft.until = numberOf(entry["wakeAt"]);
      draft.state = "waiting";
      return;
    case "child.started":
      draft.childRunId = textOf(entry["runId"]);
      draft.state = entry["detached"] === true ? "completed" : "waiting";
      draft.spans.push(
        entry["detached"] === true
          ? { kind: "instant", from: at, to: at, state: "completed" }
          : { kind: "child", from: at, state: "waiting" },
      );
      return;
    case "child.ended":
      draft.childRunId ??= textOf(fieldOf(entry["outcome"], "runId"));
      closeWait(draft, "child", entry, stateOfChild(textOf(fieldOf(entry["outcome"], "status"))));
      return;
    case "wait.resolved":
      return closeWait(draft, "wait", entry, "completed");
    case "wait.timed_out":
      return closeWait(draft, "wait", entry, "timed out");
    case "wait.released":
      return closeWait(draft, "wait", entry, "released");
    default:
      // A change of metadata, the start of the unwinding, or a type that newer code writes.
      draft.state = type === "run.unwinding" ? stateOfUnwinding(entry) : "completed";
      draft.spans.push({ kind: "instant", from: at, to: at, state: draft.state, error: entry["error"] });
  }
}

function closeWait(draft: Draft, kind: SpanKind, entry: Entry, state: RowState): void {
  draft.state = state;
  draft.until = undefined;
  // A delivery that was buffered before the wait leaves no entry about the opening.
  if (!closeOpen(draft, entry.at, state)) draft.spans.push({ kind, from: entry.at, to: entry.at, state });
}

function closeOpen({ spans }: Draft, at: number, state: RowState): boolean {
  const last = spans.at(-1);
  if (last === undefined || last.to !== undefined) return false;
  spans[spans.length - 1] = { ...last, to: Math.max(last.from, at), state };
  return true;
}

function stateOfChild(status: string | undefined): RowState {
  if (status === "completed") return "completed";
  return status === "cancelled" ? "cancelled" : "failed";
}

function stateOfUnwinding(entry: Entry): RowState {
  if (entry["cause"] === "request") return "completed";
  return entry["cause"] === "cancel" ? "cancelled" : "failed";
}

/** Adds the attempt that executes: the journal has an entry about it when it ends. */
function addOpenWork(draft: Draft, { status, attempts, startedAt }: OpenWork): void {
  if (status !== "running" || startedAt === undefined || !isOpen(draft.state)) return;
  const { spans } = draft;
  if (spans.some(({ kind, attempt = 1 }) => kind === "attempt" && attempt >= attempts)) return;
  addAttempt(draft, { kind: "attempt", from: startedAt, state: "running", attempt: attempts });
  draft.state = "running";
  draft.until = undefined;
}
