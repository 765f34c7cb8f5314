/**
 * The rows of a run: their keys, their forms, and reading them.
 *
 * Owns: the layout of a run's storage. Other files read rows only through `readRow` and `listRows`, so casts to the form of
 * a row are in one place.
 *
 * Invariants
 * - RW1 Each row contains its format version `v`. Later versions of a form only add optional fields (VER1).
 */
import type { EntryBody, JournalEntry, OperationId, StoredAddress } from "@holdfast/protocol";
import type { ListOptions, StoreReader } from "../../host/store.ts";
import type { InheritedLineage, OutboxMessage } from "./messages.ts";
import type { OpenWait, RunHeader, StreamState } from "./run-header.ts";

/** The run's header. */
export const RECORD_KEY = "record";
/** The run's input, if it is too large to be rewritten with each header. */
export const INPUT_KEY = "input";
/** Outcomes that a resumed run takes over when their operations are requested. */
export const INHERITED_KEY = "inherited";
export const JOURNAL_PREFIX = "journal/";
/** Buffered deliveries for later waits. */
export const INBOX_PREFIX = "inbox/";
/** Open waits beyond those in the header. */
export const WAIT_PREFIX = "wait/";
/** Streams beyond those in the header. */
export const STREAM_PREFIX = "stream/";
/** Messages to other runs that are not acknowledged. */
export const OUTBOX_PREFIX = "outbox/";
/** Chunks of streams. */
export const CHUNK_PREFIX = "chunk/";
/** Actions of callers on the run. */
export const AUDIT_PREFIX = "audit/";
/** Tokens that were issued (WAIT7). */
export const TOKEN_PREFIX = "token/";
/** The ids of accepted deliveries (WAIT3). */
export const DELIVERED_PREFIX = "delivered/";

/** The form of each kind of row, by its key or the prefix of its keys. */
export interface RunRows {
  readonly [RECORD_KEY]: RunHeader;
  readonly [INPUT_KEY]: InputRow;
  readonly [INHERITED_KEY]: InheritedRow;
  readonly [JOURNAL_PREFIX]: JournalEntry;
  readonly [INBOX_PREFIX]: InboxRow;
  readonly [WAIT_PREFIX]: WaitRow;
  readonly [STREAM_PREFIX]: StreamRow;
  readonly [OUTBOX_PREFIX]: OutboxRow;
  readonly [CHUNK_PREFIX]: ChunkRow;
  readonly [AUDIT_PREFIX]: AuditRow;
  readonly [TOKEN_PREFIX]: TokenRow;
  readonly [DELIVERED_PREFIX]: DeliveredRow;
}

export type RowKind = keyof RunRows;

/** Whether rows with this key are written once and never changed. */
export function isWrittenOnce(key: string): boolean {
  return key.startsWith(JOURNAL_PREFIX) || key.startsWith(CHUNK_PREFIX);
}

/** Whether a row is of this kind, by its key. */
export function isRow<K extends RowKind>(kind: K, key: string, row: unknown): row is RunRows[K] {
  return row !== undefined && (kind.endsWith("/") ? key.startsWith(kind) : key === kind);
}

/** Reads the row of this kind whose key ends with `rest`. */
export function readRow<K extends RowKind>(store: StoreReader, kind: K, rest = ""): RunRows[K] | undefined {
  const key = kind + rest;
  const row = store.get(key);
  return isRow(kind, key, row) ? row : undefined;
}

/** Lists the rows of this kind, in the order of their keys. */
export function listRows<K extends RowKind>(
  store: StoreReader,
  kind: K,
  options?: ListOptions,
): Iterable<readonly [key: string, row: RunRows[K]]> {
  // A cast: keys determine forms, as in `isRow`. A check of each row would take time in long journals.
  return store.list(kind, options) as Iterable<readonly [string, RunRows[K]]>;
}

export interface InputRow {
  readonly v: number;
  readonly input: string;
}

export interface InheritedRow {
  readonly v: number;
  readonly outcomes: readonly EntryBody[];
  readonly lineage?: InheritedLineage | undefined;
}

/** A delivery that is buffered for a later wait, or until the run is no longer paused. */
export interface InboxRow {
  readonly v: number;
  readonly kind: BufferedKind;
  /** The event's type, the signal's name, the token's id, or the operation of the child. */
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string;
  /** Of an answer to a token: the caller. */
  readonly by?: string;
  readonly at: number;
}

/** An open wait that is not in the header. */
export interface WaitRow extends OpenWait {
  readonly v: number;
}

/** A stream that is not in the header. */
export interface StreamRow extends StreamState {
  readonly v: number;
}

export type DeliveryKind = "event" | "signal";

/** Answers to tokens and ends of children are buffered only while the run is paused (CAN6). */
export type BufferedKind = DeliveryKind | "token" | "child";

/** A message to another object that is not acknowledged. */
export interface OutboxRow {
  readonly v: number;
  readonly to: StoredAddress;
  readonly message: OutboxMessage;
}

/** Chunks of a stream that one report contained. */
export interface ChunkRow {
  readonly v: number;
  readonly at: number;
  /** The index of the first chunk. */
  readonly first: number;
  readonly chunks: readonly string[];
}

/** One action of a caller on the run. */
export interface AuditRow {
  readonly v: number;
  readonly at: number;
  readonly action: string;
  readonly by: string;
  /** The delivered item, or the reason of the action. Never a secret. */
  readonly detail?: string;
  /** The caller's key of the request (API10). */
  readonly requestKey?: string;
}

/** An issued token, and whether it was answered. */
export interface TokenRow {
  readonly v: number;
  readonly op: OperationId;
  readonly state: "open" | "resolved" | "timed_out" | "released";
  readonly public?: true;
  /** The caller who answered it. Absent in rows of earlier code. */
  readonly by?: string;
}

export interface DeliveredRow {
  readonly v: number;
}

export function journalKey(seq: number): string {
  return JOURNAL_PREFIX + inOrder(seq);
}

export function inboxKey(position: number): string {
  return INBOX_PREFIX + inOrder(position);
}

export function waitKey(position: number): string {
  return WAIT_PREFIX + inOrder(position);
}

/** The position of a wait's row; 0 without a row. */
export function waitPosition(key: string | undefined): number {
  return key === undefined ? 0 : Number(key.slice(WAIT_PREFIX.length));
}

/** `place`: the position of the stream in the order in which the streams started. */
export function streamKey(place: number): string {
  return STREAM_PREFIX + inOrder(place);
}

export function outboxKey(position: number): string {
  return OUTBOX_PREFIX + inOrder(position);
}

export function auditKey(position: number): string {
  return AUDIT_PREFIX + inOrder(position);
}

/** The prefix of the keys of one generation of a stream. `stream`: its position among the run's streams. */
export function chunkPrefix(stream: number, generation: number): string {
  return `${CHUNK_PREFIX}${stream}/${generation}/`;
}

export function chunkKey(stream: number, generation: number, position: number): string {
  return chunkPrefix(stream, generation) + inOrder(position);
}

/** Returns the position of the stream of a chunk's key among the run's streams. */
export function streamOfChunk(key: string): number {
  return Number(key.slice(CHUNK_PREFIX.length).split("/")[0]);
}

/** Pads a number to the length of the largest, because keys are sorted as text. */
function inOrder(position: number): string {
  return String(position).padStart(10, "0");
}
