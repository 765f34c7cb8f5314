/**
 * The store port: what the orchestrator needs from storage, and the layout of a run's rows.
 *
 * Owns: the port and the keys. Adapters implement the port; the contract suite in @holdfast/proof holds them to it.
 *
 * Invariants
 * - S1 `commit` is atomic and synchronous: all of it is stored or none, alarm included (DUR4, DUR5).
 * - S2 What was committed is read back, in key order, by the next call.
 * - S3 Rows of any size up to LIMITS.valueChars are stored; splitting them is the adapter's business.
 */

/** One atomic change. A key is in `puts` or in `deletes`, never in both. */
export interface WriteBatch {
  readonly puts: ReadonlyMap<string, object>;
  readonly deletes: ReadonlySet<string>;
  /** When the object must be woken, ms since the epoch; `null`: not at all; absent: as before. */
  readonly alarm?: number | null;
}

export interface ListOptions {
  /** Only keys after this one. */
  readonly after?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** Reading is allowed anywhere; the rows must not be changed by the reader. */
export interface StoreReader {
  get(key: string): unknown;
  list(prefix: string, options?: ListOptions): Iterable<readonly [key: string, row: unknown]>;
}

export interface RunStore extends StoreReader {
  commit(batch: WriteBatch): void;
}

/** The run's header. */
export const RECORD_KEY = "record";
/** The run's input, where it is too large to be rewritten with each header. */
export const INPUT_KEY = "input";
/** Outcomes that a resumed run takes over when their operations are asked for. */
export const INHERITED_KEY = "inherited";
export const JOURNAL_PREFIX = "journal/";
/** Deliveries kept for waits to come. */
export const INBOX_PREFIX = "inbox/";
/** Messages to other runs that are not acknowledged. */
export const OUTBOX_PREFIX = "outbox/";
/** Chunks of streams. */
export const CHUNK_PREFIX = "chunk/";

export function journalKey(seq: number): string {
  return JOURNAL_PREFIX + String(seq).padStart(10, "0");
}

export function inboxKey(position: number): string {
  return INBOX_PREFIX + String(position).padStart(10, "0");
}

export function outboxKey(position: number): string {
  return OUTBOX_PREFIX + String(position).padStart(10, "0");
}

/** All chunks of one generation of a stream. `stream`: its place in the header's list. */
export function chunkPrefix(stream: number, generation: number): string {
  return `${CHUNK_PREFIX}${stream}/${generation}/`;
}

export function chunkKey(stream: number, generation: number, position: number): string {
  return chunkPrefix(stream, generation) + String(position).padStart(10, "0");
}

/** What callers did to the run. */
export const AUDIT_PREFIX = "audit/";

export function auditKey(position: number): string {
  return AUDIT_PREFIX + String(position).padStart(10, "0");
}

/** A delivery id that was seen (WAIT3). */
export function deliveryKey(deliveryId: string): string {
  return `delivered/${deliveryId}`;
}

/** A token that was issued (WAIT7). */
export function tokenKey(tokenId: string): string {
  return `token/${tokenId}`;
}
