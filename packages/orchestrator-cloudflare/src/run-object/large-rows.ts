/**
 * Large rows of ended runs in a bucket, where storage costs a tenth.
 *
 * Owns: the move of large rows to the bucket after the run ended, loading them for readers, and their removal with the
 * run. While a run executes, all its rows are in its object, because decisions and their data need one atomic store.
 *
 * Invariants
 * - L1 A row is in the bucket before it leaves the object. After a crash in between, the move is repeated under the same
 *   name.
 * - L2 Rows in the bucket are removed before the run: an existing run has all its rows.
 */
import { INPUT_KEY, RECORD_KEY, type RunHeader } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";
import type { RunCommand } from "./commands.ts";
import type { DurableObjectStore } from "./store.ts";
import type { BucketLike } from "../platform-types.ts";

/** The rows that a command reads. `shown`: all that one answer may show, up to the limit of one reader. */
type NeededRows = "none" | "input" | "shown" | "all";

/** The limit of rows that are loaded for one reader, in characters. Further rows are shown as `NOT_SHOWN`. */
const LOAD_CHARS_MAX = 33_554_432;

/** Texts up to this length stay in the object. */
const REST_CHARS_MAX = 10_000;

/** The bucket's limit of names per deletion. */
const DELETE_MAX = 1_000;

const NOT_SHOWN = encodeValue("[kept in the bucket: too large to show]", "");

export class LargeRows {
  readonly #store: DurableObjectStore;
  readonly #bucket: BucketLike;
  #moving: Promise<void> | undefined;
  #readers = 0;
  /** When the run was created whose rows this instance no longer moves: all are moved, or it is being erased. */
  #done: number | undefined;

  constructor(store: DurableObjectStore, bucket: BucketLike) {
    this.#store = store;
    this.#bucket = bucket;
  }

  /** Moves the large rows. After a failure the remaining rows stay in the object, and the next call moves them. */
  moveOut(header: RunHeader): Promise<void> {
    if (this.#done === header.createdAt) return Promise.resolve();
    return (this.#moving ??= this.#moveAll(header).finally(() => {
      this.#moving = undefined;
    }));
  }

  async #moveAll(header: RunHeader): Promise<void> {
    for (const key of this.#store.splitKeys()) {
      // The header stays in the object: it may be written again.
      if (key === RECORD_KEY) continue;
      const row = this.#store.get(key);
      const name = nameOf(header, key);
      const text = JSON.stringify(row);
      await this.#bucket.put(name, text);
      this.#store.move(key, name, withoutLarge(row));
      // A reader that has started still needs the row.
      if (this.#readers > 0) this.#store.loaded.set(name, text);
    }
    this.#done = header.createdAt;
  }

  /** Loads the rows that `act` reads, and calls it. With `keepsReading` the rows stay loaded after `act`. */
  async withRows<T>(
    needs: { readonly rows: NeededRows; readonly keepsReading: boolean },
    act: () => Promise<T>,
  ): Promise<T> {
    this.#readers += 1;
    let keeps = false;
    try {
      await this.#load(needs.rows);
      const result = await act();
      keeps = needs.keepsReading;
      return result;
    } finally {
      if (!keeps) this.#readers -= 1;
      if (this.#readers === 0) this.#store.loaded.clear();
    }
  }

  async #load(needed: NeededRows): Promise<void> {
    if (needed === "none") return;
    const rows = this.#store.movedRows().filter(([key]) => needed !== "input" || key === INPUT_KEY);
    // Load the input first: a repeated trigger is compared with it.
    rows.sort(([a], [b]) => Number(b === INPUT_KEY) - Number(a === INPUT_KEY) || (a < b ? -1 : 1));
    let chars = 0;
    for (const [, name] of rows) {
      if (needed !== "all" && chars > LOAD_CHARS_MAX) return;
      const text = this.#store.loaded.get(name) ?? (await (await this.#bucket.get(name))?.text());
      if (text === undefined) throw new Error(`the bucket does not have ${name}`);
      chars += text.length;
      this.#store.loaded.set(name, text);
    }
  }

  /** Removes all rows that may be in the bucket. A move in progress would put a row there afterwards. */
  async remove(header: RunHeader): Promise<void> {
    await this.#moving?.catch(() => {});
    this.#done = header.createdAt;
    const names = this.#store.movedRows().map(([, name]) => name);
    // Include split rows: a crash may have left a copy of such a row in the bucket.
    names.push(...this.#store.splitKeys().map((key) => nameOf(header, key)));
    for (let at = 0; at < names.length; at += DELETE_MAX) await this.#bucket.delete(names.slice(at, at + DELETE_MAX));
  }
}

function nameOf({ tenantId, id }: RunHeader, key: string): string {
  return ["runs", tenantId === undefined ? "-" : `t-${tenantId}`, id, key].map(encodeURIComponent).join("/");
}

/** Returns the row with each large text replaced. */
function withoutLarge(value: unknown): unknown {
  if (typeof value === "string") return value.length > REST_CHARS_MAX ? NOT_SHOWN : value;
  if (Array.isArray(value)) return value.map(withoutLarge);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutLarge(item)]));
}

/** Which of the rows that may be in the bucket a command to an ended run reads. */
export function rowsNeeded(command: RunCommand): NeededRows {
  if (command.ask === "planResume") return "all";
  // A run whose rows are lost, or cannot be read now, can be deleted.
  if (command.ask === "delete") return "none";
  if (command.ask !== "read" && command.ask !== "trigger") return "shown";
  if (command.shows === undefined || command.shows === "record") return "shown";
  // A repeated trigger is compared with the input.
  return command.shows === "result" && command.ask === "read" ? "none" : "input";
}
