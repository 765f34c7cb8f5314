/**
 * The store port: the operations that a machine needs from the storage of its object.
 *
 * Owns: the port. Adapters implement it; the contract suite in @holdfast/proof checks them against it.
 *
 * Invariants
 * - S1 `commit` is atomic and synchronous. It stores the whole batch with its alarm, or nothing (DUR4, DUR5).
 * - S2 The next call reads committed rows, and lists them in the order of their keys.
 * - S3 A row may have any size up to LIMITS.valueChars. The adapter splits large rows.
 * - S4 A commit that has returned may be lost with the process until `sync` has called `done`. Nothing leaves the object
 *   before that, but code in the same process executes.
 */

/** One atomic change. A key is in `puts` or in `deletes`, never in both. */
export interface WriteBatch {
  readonly puts: ReadonlyMap<string, object>;
  readonly deletes: ReadonlySet<string>;
  /** The time of the object's alarm, ms since 1970; `null`: no alarm; absent: the alarm does not change. */
  readonly alarm?: number | null;
}

export interface ListOptions {
  /** Lists only keys after this one. */
  readonly after?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** Read access. Any code may read; no reader may change a row. */
export interface StoreReader {
  get(key: string): unknown;
  list(prefix: string, options?: ListOptions): Iterable<readonly [key: string, row: unknown]>;
}

export interface RunStore extends StoreReader {
  /** Commits before it returns. The type `undefined` rejects an implementation that returns a promise. */
  commit(batch: WriteBatch): undefined;
  /**
   * Calls `done` once: when all earlier commits are durable, or with an error if one was lost. Absent: each commit is
   * durable when it returns.
   */
  sync?(done: (error?: unknown) => void): void;
}
