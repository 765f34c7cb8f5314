/**
 * The store port: what a machine needs from the storage of its object.
 *
 * Owns: the port. Adapters implement it; the contract suite in @holdfast/proof holds them to it.
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
  /** Returns nothing, not even a promise: a store that commits later does not type-check. */
  commit(batch: WriteBatch): undefined;
}
