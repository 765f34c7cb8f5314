/**
 * Large rows of ended runs, in a bucket: a tenth of the price to keep.
 *
 * Owns: moving them there once the run has ended, bringing them back for who reads, and removing them with the run. While
 * a run executes everything is in its object: what decides and what it decides on are one store.
 *
 * Invariants
 * - L1 A row is in the bucket before it leaves the object. What dies in between is done again: names are fixed.
 * - L2 What is in the bucket is removed before the run is: a run that is there has all its rows.
 */
import { INPUT_KEY, RECORD_KEY, type RunHeader } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";
import type { DurableObjectStore } from "./store.ts";
import type { BucketLike } from "../platform-types.ts";

/** What is brought back for one reader, in characters. What goes beyond is shown as `NOT_SHOWN`. */
const BRING_BACK_CHARS_MAX = 33_554_432;

/** Texts up to this length stay with the row. */
const REST_CHARS_MAX = 10_000;

/** A bucket deletes so many at a time. */
const DELETE_MAX = 1_000;

const NOT_SHOWN = encodeValue("[kept in the bucket: too large to show]", "");

export class LargeRows {
  readonly #store: DurableObjectStore;
  readonly #bucket: BucketLike;
  #moving = false;
  #readers = 0;
  /** Nothing is left to move, as far as this instance knows. */
  #moved = false;

  constructor(store: DurableObjectStore, bucket: BucketLike) {
    this.#store = store;
    this.#bucket = bucket;
  }

  /** Moves what is large. What fails stays where it is, and is tried again when the object is loaded next. */
  async moveOut(header: RunHeader): Promise<void> {
    if (this.#moving || this.#moved) return;
    this.#moving = true;
    try {
      for (const key of this.#store.splitKeys()) {
        // The header may be written again.
        if (key === RECORD_KEY) continue;
        const row = this.#store.get(key);
        const name = nameOf(header, key);
        const text = JSON.stringify(row);
        await this.#bucket.put(name, text);
        this.#store.move(key, name, withoutLarge(row));
        // Whoever has begun to read needs it at hand.
        if (this.#readers > 0) this.#store.broughtBack.set(name, text);
      }
      this.#moved = true;
    } finally {
      this.#moving = false;
    }
  }

  /** Does something with the rows at hand: all of them, or as many as a reader may want to see. */
  async withRows<T>(
    needs: { readonly everything: boolean; readonly goesOn: boolean },
    act: () => Promise<T>,
  ): Promise<T> {
    this.#readers += 1;
    try {
      await this.#bringBack(needs.everything);
      return await act();
    } finally {
      if (!needs.goesOn) this.#readers -= 1;
      if (this.#readers === 0) this.#store.broughtBack.clear();
    }
  }

  async #bringBack(everything: boolean): Promise<void> {
    const rows = this.#store.movedRows();
    // The input first: a trigger that comes again is compared with it.
    rows.sort(([a], [b]) => Number(b === INPUT_KEY) - Number(a === INPUT_KEY) || (a < b ? -1 : 1));
    let chars = 0;
    for (const [, name] of rows) {
      if (!everything && chars > BRING_BACK_CHARS_MAX) return;
      const text = this.#store.broughtBack.get(name) ?? (await (await this.#bucket.get(name))?.text());
      if (text === undefined) throw new Error(`the bucket does not have ${name}`);
      chars += text.length;
      this.#store.broughtBack.set(name, text);
    }
  }

  /** Removes all that is, or may be, in the bucket. */
  async remove(header: RunHeader): Promise<void> {
    const names = this.#store.movedRows().map(([, name]) => name);
    // One that was put there and not moved yet, too.
    names.push(...this.#store.splitKeys().map((key) => nameOf(header, key)));
    for (let at = 0; at < names.length; at += DELETE_MAX) await this.#bucket.delete(names.slice(at, at + DELETE_MAX));
  }
}

function nameOf({ tenantId, id }: RunHeader, key: string): string {
  return ["runs", tenantId === undefined ? "-" : `t-${tenantId}`, id, key].map(encodeURIComponent).join("/");
}

/** The row with every large text replaced. */
function withoutLarge(value: unknown): unknown {
  if (typeof value === "string") return value.length > REST_CHARS_MAX ? NOT_SHOWN : value;
  if (Array.isArray(value)) return value.map(withoutLarge);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutLarge(item)]));
}
