/**
 * A run in memory: the fold of its rows.
 *
 * Owns: loading, and applying a committed batch. Both go through the same functions, so a run that stayed in memory and
 * one that was loaded again cannot differ.
 *
 * Invariants
 * - F1 The state changes only by `applyBatch`, after the batch was committed.
 * - F2 A cold run reads its header, its last entry and its inbox; the journal is read once, when an execution starts (REP6).
 */
import { type JournalEntry, type OperationId, isOutcome } from "@holdfast/protocol";
import type { RunHeader } from "./run-header.ts";
import {
  INBOX_PREFIX,
  INPUT_KEY,
  JOURNAL_PREFIX,
  RECORD_KEY,
  SEED_RESULTS_KEY,
  type StoreReader,
  type WriteBatch,
} from "./store.ts";

/** A delivery that is kept for a wait to come. */
export interface InboxRow {
  readonly v: number;
  readonly kind: DeliveryKind;
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string;
  readonly at: number;
}

export type DeliveryKind = "event" | "signal";

/** An issued token and whether it was used. */
export interface TokenRow {
  readonly v: number;
  readonly op: OperationId;
  readonly state: "open" | "resolved" | "timed_out";
}

/** How far a step is, as far as the journal says. */
interface StepProgress {
  readonly attempts: number;
  readonly ended: boolean;
}

export interface RunState {
  readonly store: StoreReader;
  header: RunHeader | undefined;
  lastSeq: number;
  /** The newest time that was stored: times never decrease. */
  lastAt: number;
  lastOutcomeSeq: number;
  /** Operations asked for, as far as the journal and the header tell. */
  asked: number;
  /** Kept deliveries by key, oldest first: what they are for, not what they hold. */
  readonly inbox: Map<string, { readonly kind: DeliveryKind; readonly name: string; readonly chars: number }>;
  /** Steps by operation. Filled when the journal is read, which every execution begins with. */
  readonly steps: Map<OperationId, StepProgress>;
}

/** Reads what every transition needs. */
export function loadRun(store: StoreReader): RunState {
  const header = store.get(RECORD_KEY) as RunHeader | undefined;
  const state: RunState = {
    store,
    header,
    lastSeq: 0,
    lastAt: header?.updatedAt ?? 0,
    lastOutcomeSeq: 0,
    asked: header?.asked ?? 0,
    inbox: new Map(),
    steps: new Map(),
  };
  if (header === undefined) return state;
  for (const [, row] of store.list(JOURNAL_PREFIX, { reverse: true, limit: 1 })) applyEntry(state, row as JournalEntry);
  state.lastOutcomeSeq = state.lastSeq;
  if (header.inbox.count > 0) {
    for (const [key, row] of store.list(INBOX_PREFIX)) applyInbox(state, key, row as InboxRow);
  }
  return state;
}

/** Reads the whole journal, and remembers how far each step is. */
export function readJournal(state: RunState): JournalEntry[] {
  const entries: JournalEntry[] = [];
  state.steps.clear();
  for (const [, row] of state.store.list(JOURNAL_PREFIX)) {
    const entry = row as JournalEntry;
    entries.push(entry);
    applyStep(state, entry);
  }
  return entries;
}

/** The run's input, wherever it is kept. */
export function readInput(state: RunState, header: RunHeader): string {
  return header.input ?? (state.store.get(INPUT_KEY) as { readonly input: string }).input;
}

/** The results that the caller of `resume` gave, by step name. */
export function readSeedResults(state: RunState): readonly (readonly [string, string])[] {
  const row = state.store.get(SEED_RESULTS_KEY) as
    | { readonly results: readonly (readonly [string, string])[] }
    | undefined;
  return row?.results ?? [];
}

/** Takes over what was just committed (F1). */
export function applyBatch(state: RunState, batch: WriteBatch): void {
  for (const [key, row] of batch.puts) {
    if (key === RECORD_KEY) applyHeader(state, row as RunHeader);
    else if (key.startsWith(JOURNAL_PREFIX)) applyEntry(state, row as JournalEntry);
    else if (key.startsWith(INBOX_PREFIX)) applyInbox(state, key, row as InboxRow);
  }
  for (const key of batch.deletes) state.inbox.delete(key);
}

function applyHeader(state: RunState, header: RunHeader): void {
  state.header = header;
  state.lastAt = Math.max(state.lastAt, header.updatedAt);
  state.asked = Math.max(state.asked, header.asked);
}

function applyEntry(state: RunState, entry: JournalEntry): void {
  state.lastSeq = entry.seq;
  state.lastAt = Math.max(state.lastAt, entry.at);
  state.asked = Math.max(state.asked, entry.asked);
  if (isOutcome(entry)) state.lastOutcomeSeq = entry.seq;
  applyStep(state, entry);
}

function applyStep(state: RunState, entry: JournalEntry): void {
  switch (entry.type) {
    case "step.retrying":
      state.steps.set(entry.op, { attempts: entry.attempt, ended: false });
      return;
    case "step.completed":
    case "step.failed":
      state.steps.set(entry.op, { attempts: entry.attempt, ended: true });
      return;
    case "step.started":
    case "wait.opened":
    case "wait.resolved":
    case "wait.timed_out":
  }
}

function applyInbox(state: RunState, key: string, row: InboxRow): void {
  state.inbox.set(key, { kind: row.kind, name: row.name, chars: row.payload.length });
}
