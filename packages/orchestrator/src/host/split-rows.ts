/**
 * Rows of any size over a storage that limits the size of a value (S3).
 *
 * Owns: the division of large rows into parts, and their names: `part/<n>/<key>`. The row itself is then a placeholder.
 *
 * Invariants
 * - SR1 The parts of a row exist exactly as long as its placeholder. The caller commits all writes of a change together.
 */

/** The storage below: synchronous, sorted by key. */
export interface KeyValues {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): unknown;
}

/** The placeholder of a row that is stored in parts. */
interface SplitRow {
  readonly parts: number;
}

/** The keys of the first parts begin with this text, and end with the key of the row. */
export const FIRST_PARTS: string = partKey("", 0);

export interface SplitOptions {
  /** The limit of one part, in characters. */
  readonly partChars: () => number;
  /** Whether a row with this key is never overwritten: then a write reads nothing. */
  readonly isWrittenOnce: (key: string) => boolean;
}

/** The number of keys that are remembered. */
const WHOLE_MAX = 64;

export class SplitRows {
  readonly #values: KeyValues;
  readonly #options: SplitOptions;
  /** Keys of rows that have no parts, so that the next write of such a row reads nothing. */
  readonly #whole = new Set<string>();

  constructor(values: KeyValues, options: SplitOptions) {
    this.#values = values;
    this.#options = options;
  }

  /** Returns the row of which `stored` is the stored value. */
  join(key: string, stored: unknown): unknown {
    if (!isSplit(stored)) {
      this.#note(key, true);
      return stored;
    }
    const parts = Array.from({ length: stored.parts }, (_, index) => this.#values.get(partKey(key, index)));
    return JSON.parse(parts.join(""));
  }

  put(key: string, row: object): void {
    const chars = this.#options.partChars();
    const parts = chars !== Infinity && countChars(row) > chars ? split(JSON.stringify(row), chars) : [];
    if (!this.#options.isWrittenOnce(key)) this.deleteParts(key, parts.length);
    parts.forEach((part, index) => this.#values.put(partKey(key, index), part));
    this.#values.put(key, parts.length > 0 ? ({ parts: parts.length } satisfies SplitRow) : row);
    this.#note(key, parts.length === 0);
  }

  /** Forgets what is known of the stored rows. Called after a commit that failed: earlier rows are stored again. */
  forget(): void {
    this.#whole.clear();
  }

  #note(key: string, isWhole: boolean): void {
    if (!isWhole) this.#whole.delete(key);
    else if (!this.#options.isWrittenOnce(key)) {
      if (this.#whole.size >= WHOLE_MAX) this.#whole.clear();
      this.#whole.add(key);
    }
  }

  delete(key: string): void {
    this.deleteParts(key);
    this.#values.delete(key);
  }

  /** Deletes the parts of a row from this one on. */
  deleteParts(key: string, from: number = 0): void {
    if (this.#whole.has(key)) return;
    const stored = this.#values.get(key);
    if (!isSplit(stored)) return;
    for (let index = from; index < stored.parts; index++) this.#values.delete(partKey(key, index));
  }
}

function partKey(key: string, index: number): string {
  return `part/${index}/${key}`;
}

function isSplit(stored: unknown): stored is SplitRow {
  return typeof stored === "object" && stored !== null && "parts" in stored;
}

function split(text: string, chars: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += chars) parts.push(text.slice(at, at + chars));
  return parts;
}

/** Returns the total length of the row's texts, in characters. */
function countChars(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let chars = 0;
  for (const item of Object.values(value)) chars += countChars(item);
  return chars;
}
