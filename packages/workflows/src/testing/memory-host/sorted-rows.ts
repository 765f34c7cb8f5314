/**
 * Stored rows in the order of their keys.
 *
 * Owns: the order. A page costs the keys that it lists, however many rows there are.
 */
import type { ListOptions } from "@holdfast/orchestrator";

export class SortedRows {
  readonly #rows: Map<string, unknown>;
  readonly #keys: string[];

  constructor(rows: Iterable<readonly [string, unknown]> = []) {
    this.#rows = new Map(rows);
    this.#keys = [...this.#rows.keys()].toSorted();
  }

  get rows(): ReadonlyMap<string, unknown> {
    return this.#rows;
  }

  get(key: string): unknown {
    return this.#rows.get(key);
  }

  put(key: string, row: unknown): void {
    if (!this.#rows.has(key))
      this.#keys.splice(
        this.#firstOf((one) => one > key),
        0,
        key,
      );
    this.#rows.set(key, row);
  }

  delete(key: string): void {
    if (this.#rows.delete(key))
      this.#keys.splice(
        this.#firstOf((one) => one >= key),
        1,
      );
  }

  clear(): void {
    this.#rows.clear();
    this.#keys.length = 0;
  }

  keys(prefix: string, { after, limit = Infinity, reverse = false }: ListOptions = {}): readonly string[] {
    const from = this.#firstOf((key) => key >= prefix && (after === undefined || key > after));
    const to = this.#firstOf((key) => key > prefix && !key.startsWith(prefix));
    if (reverse) return this.#keys.slice(Math.max(from, to - limit), to).toReversed();
    return this.#keys.slice(from, Math.min(to, from + limit));
  }

  /** The position of the first key that passes. All keys after it pass, too. */
  #firstOf(passes: (key: string) => boolean): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const key = this.#keys[middle];
      if (key !== undefined && passes(key)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
