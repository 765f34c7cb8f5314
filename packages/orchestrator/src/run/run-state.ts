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
import {
  type EntryBody,
  FORMAT_VERSION,
  type JournalEntry,
  type OperationId,
  assert,
  isOutcome,
} from "@holdfast/protocol";
import type { StoreReader, WriteBatch } from "../host/store.ts";
import {
  type BufferedKind,
  CHUNK_PREFIX,
  type ChunkRow,
  INBOX_PREFIX,
  INHERITED_KEY,
  INPUT_KEY,
  type InboxRow,
  JOURNAL_PREFIX,
  RECORD_KEY,
  isRow,
  listRows,
  readRow,
  streamOfChunk,
} from "./rows.ts";
import { newerInBody, newerInEntry, newerInHeader, newerInInbox, newerInRow } from "./newer-format.ts";
import type { RunHeader } from "./run-header.ts";

/** How far an operation is, as far as the journal says. */
interface Progress {
  readonly attempts: number;
  /** When its next attempt is due. */
  readonly retryAt: number | undefined;
  /** It has its outcome. */
  readonly ended: boolean;
  readonly compensable: boolean;
}

export interface RunState {
  readonly store: StoreReader;
  header: RunHeader | undefined;
  /** What newer code wrote in the rows that were read so far: the run is only shown (VER4). */
  newer: string | undefined;
  lastSeq: number;
  /** The newest time that was stored: times never decrease. */
  lastAt: number;
  lastOutcomeSeq: number;
  /** Operations that were requested, as far as the journal and the header say. */
  asked: number;
  /** Buffered deliveries by key, oldest first: what they are for, not what they hold. */
  readonly inbox: Map<string, { readonly kind: BufferedKind; readonly name: string; readonly chars: number }>;
  /** Operations that the journal knows. Filled when it is read, which every execution begins with. */
  readonly operations: Map<OperationId, Progress>;
  /** Whether `operations` holds the whole journal. */
  journalRead: boolean;
  /** The journal, while a transition that starts an execution is carried out: it is read once (REP6). */
  journalForStart: JournalEntry[] | undefined;
  /** Chunks of open streams since they were begun, by operation. */
  readonly openStreams: Map<OperationId, { readonly chunks: number; readonly chars: number }>;
}

/** Reads what every transition needs. */
export function loadRun(store: StoreReader): RunState {
  const header = readRow(store, RECORD_KEY);
  const state: RunState = {
    store,
    header,
    newer: header && newerInHeader(header),
    lastSeq: 0,
    lastAt: header?.updatedAt ?? 0,
    lastOutcomeSeq: 0,
    asked: header?.asked ?? 0,
    inbox: new Map(),
    operations: new Map(),
    journalRead: header === undefined,
    journalForStart: undefined,
    openStreams: new Map(),
  };
  // Of a header in a newer format nothing more is read: its fields may mean something else. Rows that newer code wrote
  // are not applied: they may have another form.
  if (header === undefined || header.v > FORMAT_VERSION) return state;
  for (const [, entry] of listRows(store, JOURNAL_PREFIX, { reverse: true, limit: 1 })) {
    state.newer ??= newerInEntry(entry);
    if (state.newer === undefined) applyEntry(state, entry);
  }
  state.lastOutcomeSeq = state.lastSeq;
  if (header.inbox.count > 0) {
    for (const [key, row] of listRows(store, INBOX_PREFIX)) {
      state.newer ??= newerInInbox(row);
      if (state.newer === undefined) applyInbox(state, key, row);
    }
  }
  return state;
}

/** Reads the whole journal, and remembers how far each operation is. */
export function readJournal(state: RunState): JournalEntry[] {
  const entries: JournalEntry[] = [];
  state.operations.clear();
  for (const [, entry] of listRows(state.store, JOURNAL_PREFIX)) {
    entries.push(entry);
    state.newer ??= newerInEntry(entry);
    applyProgress(state, entry);
  }
  state.journalRead = true;
  return entries;
}

/** Reads all that an execution gets, before it is started. What newer code wrote is found. */
export function prepareStart(state: RunState, header: RunHeader): void {
  state.journalForStart = readJournal(state);
  const inherited = readRow(state.store, INHERITED_KEY);
  for (const body of inherited?.outcomes ?? []) state.newer ??= newerInBody(body, "an outcome that was taken over");
  noticeNewerInput(state, header);
}

/** Finds what newer code wrote in the row of the input. */
export function noticeNewerInput(state: RunState, header: RunHeader): void {
  const row = header.input === undefined ? readRow(state.store, INPUT_KEY) : undefined;
  if (row !== undefined) state.newer ??= newerInRow(row, [row.input], "the input");
}

/** The journal for an execution that starts now. */
export function takeJournal(state: RunState): JournalEntry[] {
  const journal = state.journalForStart ?? readJournal(state);
  state.journalForStart = undefined;
  return journal;
}

/** Makes sure that `operations` holds the whole journal. Reads it at most once. */
export function knowOperations(state: RunState): RunState["operations"] {
  if (!state.journalRead) readJournal(state);
  return state.operations;
}

/** The run's input, wherever it is stored. */
export function readInput(state: RunState, header: RunHeader): string {
  const input = header.input ?? readRow(state.store, INPUT_KEY)?.input;
  assert(input !== undefined, "a run has an input");
  return input;
}

/** The outcomes that a resumed run takes over when their operations are requested. */
export function readInherited(state: RunState): readonly EntryBody[] {
  return readRow(state.store, INHERITED_KEY)?.outcomes ?? [];
}

/** Takes over what was just committed (F1). */
export function applyBatch(state: RunState, batch: WriteBatch): void {
  for (const [key, row] of batch.puts) {
    if (isRow(RECORD_KEY, key, row)) applyHeader(state, row);
    else if (isRow(JOURNAL_PREFIX, key, row)) applyEntry(state, row);
    else if (isRow(INBOX_PREFIX, key, row)) applyInbox(state, key, row);
    else if (isRow(CHUNK_PREFIX, key, row)) applyChunks(state, key, row);
  }
  for (const key of batch.deletes) state.inbox.delete(key);
}

function applyHeader(state: RunState, header: RunHeader): void {
  state.header = header;
  state.lastAt = Math.max(state.lastAt, header.updatedAt);
  state.asked = Math.max(state.asked, header.asked);
}

function applyEntry(state: RunState, entry: JournalEntry): void {
  state.journalForStart?.push(entry);
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
    compensable: entry.type === "step.completed" && entry.compensable === true,
  });
  if (entry.type === "stream.started") state.openStreams.set(entry.op, { chunks: 0, chars: 0 });
  else if (ended) state.openStreams.delete(entry.op);
}

function applyChunks(state: RunState, key: string, row: ChunkRow): void {
  const op = state.header?.streams[streamOfChunk(key)]?.op;
  assert(op !== undefined, "chunks are stored of streams that the header lists");
  const before = state.openStreams.get(op);
  assert(before !== undefined, "chunks are stored of open streams only");
  const chars = row.chunks.reduce((sum, chunk) => sum + chunk.length, before.chars);
  state.openStreams.set(op, { chunks: before.chunks + row.chunks.length, chars });
}

function applyInbox(state: RunState, key: string, row: InboxRow): void {
  state.inbox.set(key, { kind: row.kind, name: row.name, chars: row.payload.length });
}
