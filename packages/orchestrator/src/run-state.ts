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
import { type EntryBody, FORMAT_VERSION, type JournalEntry, type OperationId, isOutcome } from "@holdfast/protocol";
import type { RunMessage } from "./messages.ts";
import type { RunHeader } from "./run-header.ts";
import {
  CHUNK_PREFIX,
  INBOX_PREFIX,
  INHERITED_KEY,
  INPUT_KEY,
  JOURNAL_PREFIX,
  RECORD_KEY,
  type StoreReader,
  type WriteBatch,
} from "./store.ts";

/** A delivery that is kept for a wait to come, or until the run is no longer paused. */
export interface InboxRow {
  readonly v: number;
  readonly kind: KeptKind;
  /** The event's type, the signal's name, the token's id, or the operation of the child. */
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string;
  readonly at: number;
}

export type DeliveryKind = "event" | "signal";

/** Answers to tokens and ends of children are kept too, while the run is paused (CAN6). */
export type KeptKind = DeliveryKind | "token" | "child";

/** A message that the run owes to another run. */
export interface OutboxRow {
  readonly v: number;
  readonly to: string;
  readonly message: RunMessage;
}

/** Chunks of a stream, as many as came together. */
export interface ChunkRow {
  readonly v: number;
  readonly at: number;
  /** The number of the first. */
  readonly first: number;
  readonly chunks: readonly string[];
}

/** Something that a caller did to the run. */
export interface AuditRow {
  readonly v: number;
  readonly at: number;
  readonly action: string;
  readonly by: string;
  /** What was delivered, or the reason. Never a secret. */
  readonly detail?: string;
}

/** An issued token and whether it was used. */
export interface TokenRow {
  readonly v: number;
  readonly op: OperationId;
  readonly state: "open" | "resolved" | "timed_out";
  readonly public?: true;
}

/** How far an operation is, as far as the journal says. */
interface Progress {
  readonly attempts: number;
  /** When its next attempt is due. */
  readonly retryAt: number | undefined;
  /** It has its outcome. */
  readonly ended: boolean;
  readonly failed: boolean;
  readonly compensable: boolean;
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
  readonly inbox: Map<string, { readonly kind: KeptKind; readonly name: string; readonly chars: number }>;
  /** Operations that the journal knows. Filled when it is read, which every execution begins with. */
  readonly operations: Map<OperationId, Progress>;
  /** Whether `operations` holds the whole journal. */
  journalRead: boolean;
  /** Chunks of open streams since they were begun, by operation. */
  readonly openStreams: Map<OperationId, { readonly chunks: number; readonly chars: number }>;
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
    operations: new Map(),
    journalRead: header === undefined,
    openStreams: new Map(),
  };
  if (header === undefined) return state;
  checkFormat(header.v, header.id);
  for (const [, row] of store.list(JOURNAL_PREFIX, { reverse: true, limit: 1 })) applyEntry(state, row as JournalEntry);
  state.lastOutcomeSeq = state.lastSeq;
  if (header.inbox.count > 0) {
    for (const [key, row] of store.list(INBOX_PREFIX)) applyInbox(state, key, row as InboxRow);
  }
  return state;
}

/** Refuses what newer code wrote: it must not be misread (VER1). */
function checkFormat(version: number, runId: string): void {
  if (version <= FORMAT_VERSION) return;
  throw new Error(
    `run ${JSON.stringify(runId)} is stored in format ${version}; this code reads up to ${FORMAT_VERSION}. Deploy the newer code again.`,
  );
}

/** Reads the whole journal, and remembers how far each operation is. */
export function readJournal(state: RunState): JournalEntry[] {
  const entries: JournalEntry[] = [];
  state.operations.clear();
  for (const [, row] of state.store.list(JOURNAL_PREFIX)) {
    const entry = row as JournalEntry;
    entries.push(entry);
    applyProgress(state, entry);
  }
  state.journalRead = true;
  return entries;
}

/** Makes sure that `operations` holds the whole journal. Reads it at most once. */
export function knowOperations(state: RunState): RunState["operations"] {
  if (!state.journalRead) readJournal(state);
  return state.operations;
}

/** The run's input, wherever it is kept. */
export function readInput(state: RunState, header: RunHeader): string {
  return header.input ?? (state.store.get(INPUT_KEY) as { readonly input: string }).input;
}

/** The outcomes that a resumed run takes over when their operations are asked for. */
export function readInherited(state: RunState): readonly EntryBody[] {
  const row = state.store.get(INHERITED_KEY) as { readonly outcomes: readonly EntryBody[] } | undefined;
  return row?.outcomes ?? [];
}

/** Takes over what was just committed (F1). */
export function applyBatch(state: RunState, batch: WriteBatch): void {
  for (const [key, row] of batch.puts) {
    if (key === RECORD_KEY) applyHeader(state, row as RunHeader);
    else if (key.startsWith(JOURNAL_PREFIX)) applyEntry(state, row as JournalEntry);
    else if (key.startsWith(INBOX_PREFIX)) applyInbox(state, key, row as InboxRow);
    else if (key.startsWith(CHUNK_PREFIX)) applyChunks(state, key, row as ChunkRow);
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
  applyProgress(state, entry);
}

function applyProgress(state: RunState, entry: JournalEntry): void {
  const ended = isOutcome(entry);
  state.operations.set(entry.op, {
    attempts: "attempt" in entry ? entry.attempt : 0,
    retryAt: entry.type === "step.retrying" ? entry.retryAt : undefined,
    ended,
    failed: entry.type === "step.failed",
    compensable: entry.type === "step.completed" && entry.compensable === true,
  });
  if (entry.type === "stream.started") state.openStreams.set(entry.op, { chunks: 0, chars: 0 });
  else if (ended) state.openStreams.delete(entry.op);
}

function applyChunks(state: RunState, key: string, row: ChunkRow): void {
  const place = Number(key.slice(CHUNK_PREFIX.length).split("/")[0]);
  // Chunks are stored of streams that are open only.
  const { op } = (state.header as RunHeader).streams[place] as { readonly op: OperationId };
  const before = state.openStreams.get(op) as { readonly chunks: number; readonly chars: number };
  const chars = row.chunks.reduce((sum, chunk) => sum + chunk.length, before.chars);
  state.openStreams.set(op, { chunks: before.chunks + row.chunks.length, chars });
}

function applyInbox(state: RunState, key: string, row: InboxRow): void {
  state.inbox.set(key, { kind: row.kind, name: row.name, chars: row.payload.length });
}
