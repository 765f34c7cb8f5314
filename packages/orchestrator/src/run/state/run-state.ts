/**
 * The state of a run in memory, computed from its rows.
 *
 * Owns: loading, and applying a committed batch. Both use the same functions, so a run that stayed in memory and a run
 * that was loaded again are equal.
 *
 * Invariants
 * - F1 Committed rows change the state only by `applyBatch`. Reading further rows may add to it.
 * - F2 Loading reads the header, the last entry and the inbox. The whole journal is read when an execution starts (REP6).
 */
import {
  type EntryBody,
  type ExecutionStart,
  FORMAT_VERSION,
  type JournalEntry,
  type OperationId,
  assert,
  defined,
  isOutcome,
  isTerminal,
} from "@holdfast/protocol";
import type { StoreReader, WriteBatch } from "../../host/store.ts";
import {
  CHUNK_PREFIX,
  type ChunkRow,
  INBOX_PREFIX,
  INHERITED_KEY,
  INPUT_KEY,
  type InboxRow,
  type InheritedRow,
  JOURNAL_PREFIX,
  RECORD_KEY,
  STREAM_PREFIX,
  WAIT_PREFIX,
  chunkPrefix,
  isRow,
  listRows,
  readRow,
  streamOfChunk,
} from "./rows.ts";
import { type StoredHeader, applyHeaderRows, withRows } from "./header-rows.ts";
import { newerInBody, newerInEntry, newerInHeader, newerInInbox, newerInRow } from "./newer-format.ts";
import { FirstPage, ONE_PAGE, PAGE, type PageSize } from "./journal-pages.ts";
import { bodiesOf } from "./messages.ts";
import type { RunHeader } from "./run-header.ts";
import { hasStreamRows } from "./stream-rows.ts";

/** The state of an operation in the journal. */
interface Progress {
  readonly attempts: number;
  /** When its next attempt is due. */
  readonly retryAt: number | undefined;
  /** Whether the operation has an outcome. */
  readonly ended: boolean;
  readonly compensable: boolean;
}

/** A buffered delivery without its payload. */
export type BufferedDelivery = Pick<InboxRow, "kind" | "name" | "deliveryId" | "by" | "at"> & {
  readonly chars: number;
};

export interface RunState extends StoredHeader {
  readonly store: StoreReader;
  header: RunHeader | undefined;
  /** A description of data of newer code in the rows that were read so far. Such a run does not change (VER4). */
  newer: string | undefined;
  lastSeq: number;
  /** The newest stored time. Later times are at least as high. */
  lastAt: number;
  lastOutcomeSeq: number;
  /** The number of requested operations, from the header and the last entry. */
  asked: number;
  /** Buffered deliveries by key, oldest first, without their payloads. */
  readonly inbox: Map<string, BufferedDelivery>;
  /** The operations in the journal. Complete after the journal was read, as before the start of each execution. */
  readonly operations: Map<OperationId, Progress>;
  /** The number of the newest entry that is progress (DUR7). Complete after the journal was read. */
  progressSeq: number;
  /** Whether `operations` covers the whole journal. */
  journalRead: boolean;
  /** The journal between a decision to start an execution and the start, so that it is read once (REP6). */
  journalForStart: FirstPage | undefined;
  /** What the run takes over, by operation, from its first use until the run only waits or has ended. */
  inherited: ReadonlyMap<OperationId, EntryBody> | undefined;
  /** The first page of an execution's journal. The host sets it. */
  pageSize: PageSize;
  /** The stored chunks of the newest generation of each open stream, by operation. */
  readonly openStreams: Map<OperationId, OpenStream>;
}

/** What the newest generation of a stream has. */
export interface OpenStream {
  readonly chunks: number;
  readonly chars: number;
}

/** Reads the rows that each transition needs. */
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
    waitRows: new Map(),
    streamRows: new Map(),
    operations: new Map(),
    progressSeq: 0,
    journalRead: header === undefined,
    journalForStart: undefined,
    inherited: undefined,
    pageSize: ONE_PAGE,
    openStreams: new Map(),
  };
  // The fields of a header in a newer format may have another meaning: read nothing more. Rows that newer code wrote
  // are not applied: they may have another form.
  if (header === undefined || header.v > FORMAT_VERSION) return state;
  for (const [, entry] of listRows(store, JOURNAL_PREFIX, { reverse: true, limit: 1 })) {
    state.newer ??= newerInEntry(entry);
    if (state.newer === undefined) applyEntry(state, entry);
  }
  state.lastOutcomeSeq = state.lastSeq;
  loadInbox(state, header);
  loadWaits(state, header);
  loadStreams(state, header);
  state.header = withRows(header, state.waitRows, state.streamRows);
  return state;
}

function loadInbox(state: RunState, { inbox }: RunHeader): void {
  if (inbox.count === 0) return;
  for (const [key, row] of listRows(state.store, INBOX_PREFIX)) {
    state.newer ??= newerInInbox(row);
    if (state.newer === undefined) applyInbox(state, key, row);
  }
}

function loadWaits(state: RunState, header: RunHeader): void {
  if ((header.waitRows ?? 0) === 0) return;
  for (const [key, row] of listRows(state.store, WAIT_PREFIX)) {
    state.newer ??= newerInRow(row, row.match === undefined ? [] : [row.match], `the wait ${row.op}`);
    if (state.newer === undefined) state.waitRows.set(key, row);
  }
}

function loadStreams(state: RunState, header: RunHeader): void {
  if (!hasStreamRows(header)) return;
  for (const [key, row] of listRows(state.store, STREAM_PREFIX)) {
    state.newer ??= newerInRow(row, [], `the stream ${row.op}`);
    if (state.newer === undefined) state.streamRows.set(key, row);
  }
}

/** Reads the whole journal, and stores the progress of each operation. */
export function readJournal(state: RunState): JournalEntry[] {
  return readFirstPage(state, ONE_PAGE).entries;
}

/** The same, but returns only the first page. */
function readFirstPage(state: RunState, size: PageSize): FirstPage {
  const page = new FirstPage(size);
  state.operations.clear();
  // A new run has no entries to read.
  const isEmpty = state.lastSeq === 0 && state.newer === undefined;
  for (const [, entry] of isEmpty ? [] : listRows(state.store, JOURNAL_PREFIX)) {
    page.add(entry);
    state.newer ??= newerInEntry(entry);
    applyProgress(state, entry);
  }
  state.journalRead = true;
  countChunks(state);
  return page;
}

/** Counts the stored chunks of open streams: an execution elsewhere may continue one after the object was loaded (STR1). */
function countChunks(state: RunState): void {
  for (const [place, { op, generation }] of (state.header?.streams ?? []).entries()) {
    if (!state.openStreams.has(op)) continue;
    state.openStreams.set(op, { chunks: 0, chars: 0 });
    for (const [key, row] of state.store.list(chunkPrefix(place, generation)))
      if (isRow(CHUNK_PREFIX, key, row)) applyChunks(state, key, row);
  }
}

/** Returns the number of the newest entry that is progress. The execution that starts next gets the journal that this read. */
export function findProgress(state: RunState): number {
  if (!state.journalRead) state.journalForStart = readFirstPage(state, state.pageSize);
  return state.progressSeq;
}

/** Reads the rows that a starting execution gets, and checks them for data of newer code. */
export function prepareStart(state: RunState, header: RunHeader): void {
  state.journalForStart ??= readFirstPage(state, state.pageSize);
  markNewerStart(state, header);
}

/**
 * Checks the rows that loading does not read, for an action that may change the run and start no execution. Rows of an ended
 * run may be in a bucket.
 */
export function checkUnreadRows(state: RunState): void {
  const { header, newer, journalRead } = state;
  if (header === undefined || newer !== undefined || journalRead || isTerminal(header.status)) return;
  markNewerRows(state, header);
}

/** Checks the rows that loading does not read, and marks the run if newer code wrote one of them. */
function markNewerRows(state: RunState, header: RunHeader): void {
  for (const [, entry] of listRows(state.store, JOURNAL_PREFIX)) state.newer ??= newerInEntry(entry);
  markNewerStart(state, header);
}

/** Checks the rows beside the journal that an execution gets. */
function markNewerStart(state: RunState, header: RunHeader): void {
  // The row alone counts here: newer code may have other reasons to write it.
  const inherited = readRow(state.store, INHERITED_KEY) ?? { outcomes: [] };
  for (const body of bodiesOf(inherited)) state.newer ??= newerInBody(body, "an inherited outcome");
  markNewerInput(state, header);
}

/** Checks the row of the input, and marks the run if newer code wrote it. */
export function markNewerInput(state: RunState, header: RunHeader): void {
  const row = header.input === undefined ? readRow(state.store, INPUT_KEY) : undefined;
  if (row !== undefined) state.newer ??= newerInRow(row, [row.input], "the input");
}

/** Returns the journal for an execution that starts now. */
export function takeJournal(state: RunState): FirstPage {
  const page = state.journalForStart ?? readFirstPage(state, state.pageSize);
  state.journalForStart = undefined;
  return page;
}

/** Returns the operations of the whole journal. Reads the journal if that has not been done. */
export function knowOperations(state: RunState): RunState["operations"] {
  if (!state.journalRead) readFirstPage(state, PAGE);
  return state.operations;
}

/** Returns the run's input, from the header or from its own row. */
export function readInput(state: RunState, header: RunHeader): string {
  const input = header.input ?? readRow(state.store, INPUT_KEY)?.input;
  assert(input !== undefined, "a run has an input");
  return input;
}

/** Returns what a resumed run takes over when its function requests the operations. */
export function readInherited(state: RunState): Pick<InheritedRow, "outcomes" | "lineage"> {
  const inherited = state.header?.resumedFrom && readRow(state.store, INHERITED_KEY);
  return inherited ?? { outcomes: [] };
}

/** What a resumed run's execution gets to recognise the operations that take over an outcome. */
export function inheritedBy(state: RunState): Pick<ExecutionStart, "inherited" | "lineage"> {
  const { outcomes, lineage } = readInherited(state);
  const inherited = outcomes.map((body) => body.op);
  if (lineage === undefined) return { inherited };
  const places = lineage.outcomes.map(({ body, place }) => {
    const { line, ...others } = place;
    // An earlier version stored no order. Without it, nothing shows which branch requests the operation.
    const isKnown = lineage.order !== undefined || (place.silent === 0 && place.shared !== true);
    return defined({ op: body.op, line: isKnown ? line : undefined, ...others });
  });
  return { inherited, lineage: { ...lineage, outcomes: places } };
}

/** Returns the outcome of an operation of the resumed run. */
export function findInherited(state: RunState, op: OperationId): EntryBody | undefined {
  // The reverse order: the first of two with one id counts.
  state.inherited ??= new Map(
    bodiesOf(readInherited(state))
      .map((body) => [body.op, body] as const)
      .toReversed(),
  );
  return state.inherited.get(op);
}

/** Applies a batch that was committed (F1). */
export function applyBatch(state: RunState, batch: WriteBatch): void {
  const header = applyHeaderRows(state, batch);
  if (header !== undefined && header !== state.header) applyHeader(state, header);
  for (const [key, row] of batch.puts) {
    if (isRow(JOURNAL_PREFIX, key, row)) applyEntry(state, row);
    else if (isRow(INBOX_PREFIX, key, row)) applyInbox(state, key, row);
    else if (isRow(CHUNK_PREFIX, key, row)) applyChunks(state, key, row);
  }
  for (const key of batch.deletes) state.inbox.delete(key);
}

function applyHeader(state: RunState, header: RunHeader): void {
  state.header = header;
  if (header.status !== "running") state.inherited = undefined;
  state.lastAt = Math.max(state.lastAt, header.updatedAt);
  state.asked = Math.max(state.asked, header.asked);
}

function applyEntry(state: RunState, entry: JournalEntry): void {
  state.journalForStart?.add(entry);
  state.lastSeq = entry.seq;
  state.lastAt = Math.max(state.lastAt, entry.at);
  state.asked = Math.max(state.asked, entry.asked);
  if (isOutcome(entry)) state.lastOutcomeSeq = entry.seq;
  applyProgress(state, entry);
}

/**
 * Whether an entry shows that an execution made progress (DUR7): work has ended. An execution that dies at one place may
 * write other entries each time: starts of streams and of attempts, failed attempts, and the ends of sleeps beside it.
 */
function isProgress(entry: JournalEntry): boolean {
  return isOutcome(entry) && entry.type !== "wait.resolved" && entry.type !== "wait.timed_out";
}

function applyProgress(state: RunState, entry: JournalEntry): void {
  if (isProgress(entry)) state.progressSeq = Math.max(state.progressSeq, entry.seq);
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
  const { kind, name, deliveryId, by, at, payload } = row;
  state.inbox.set(key, {
    kind,
    name,
    at,
    chars: payload.length,
    ...(deliveryId === undefined ? {} : { deliveryId }),
    ...(by === undefined ? {} : { by }),
  });
}
