/**
 * Rows of the runs of this isolate on their way to the index.
 *
 * Owns: the batches. A row waits for a moment: so the newest row of a run replaces the ones before it, and one call has the
 * rows of many runs. The object of each run has a timer of its own. The first one whose timer fires sends all rows that
 * wait, and the others find the result: objects share data, and no promise, timer or call, which belong to one object.
 *
 * Invariants
 * - UB1 A row is reported as stored only after the index has answered the call that had it, or a newer one of its run.
 * - UB2 An object that leaves memory stops no other: a row without a result in time is sent again by its own object.
 * - UB3 A row whose object left memory before it was sent is not sent later: the run may be removed by then, and the index
 *   remembers that for a limited time. The next instance of the object has its row.
 */
import type { IndexRow } from "@holdfast/orchestrator";

/** How long a row waits, ms. Longer than a short run takes inline, and for a running run also in another process. */
const DELAY_MS = 5;
const RUNNING_DELAY_MS = 25;
/** The maximum number of rows of one call. */
export const BATCH_ROWS = 100;
/** The time after which a call of another object, or a row that waits for its object, counts as lost, ms. */
const LOST_MS = 2_000;

interface Entry {
  readonly key: string;
  readonly group: string;
  row: IndexRow;
  /** When an object last began to wait for it. */
  addedAt: number;
  sentAt?: number;
  result?: "stored" | { readonly error: unknown };
}

export class UpsertBatches {
  /** The rows that no call has, by run. */
  readonly #waiting = new Map<string, Entry>();
  readonly #send: (rows: readonly IndexRow[]) => Promise<void>;

  /** `send` stores rows of one group. */
  constructor(send: (rows: readonly IndexRow[]) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves when the row, or a newer one of its run, is stored. `group`: rows of one group share a call. */
  async upsert(group: string, row: IndexRow): Promise<void> {
    const entry = this.#add(group, row);
    while (entry.result === undefined) {
      await delay(entry.row.status === "running" ? RUNNING_DELAY_MS : DELAY_MS);
      if (entry.sentAt !== undefined && Math.abs(Date.now() - entry.sentAt) > LOST_MS) await this.#sendAll([entry]);
      else if (entry.sentAt === undefined) await this.#sendAll(this.#take(entry));
    }
    if (entry.result !== "stored") throw entry.result.error;
  }

  #add(group: string, row: IndexRow): Entry {
    const key = JSON.stringify([row.tenantId, row.id, row.createdAt]);
    const entry = this.#waiting.get(key) ?? { key, group, row, addedAt: 0 };
    entry.addedAt = Date.now();
    if (row.version > entry.row.version) entry.row = row;
    this.#waiting.set(key, entry);
    return entry;
  }

  /** Removes the waiting rows of the group of an entry, itself included. */
  #take(first: Entry): Entry[] {
    this.#sweep();
    const others = [...this.#waiting.values()].filter((entry) => entry !== first && entry.group === first.group);
    const taken = [first, ...others.slice(0, BATCH_ROWS - 1)];
    for (const { key } of taken) this.#waiting.delete(key);
    return taken;
  }

  /** Removes rows that no object has sent in time. An object that is late sends its own row. */
  #sweep(): void {
    const now = Date.now();
    for (const [key, { addedAt }] of this.#waiting) if (Math.abs(now - addedAt) > LOST_MS) this.#waiting.delete(key);
  }

  async #sendAll(entries: readonly Entry[]): Promise<void> {
    const now = Date.now();
    for (const entry of entries) entry.sentAt = now;
    let result: NonNullable<Entry["result"]> = "stored";
    try {
      await this.#send(entries.map(({ row }) => row));
    } catch (error) {
      result = { error };
    }
    for (const entry of entries) entry.result = result;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
