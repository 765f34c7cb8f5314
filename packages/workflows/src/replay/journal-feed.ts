/**
 * The journal as an execution reads it: in order, without gaps, each entry once.
 *
 * Owns: the order. Answers and updates may overtake each other on a pipe, so entries are delivered in order of `seq`.
 */
import type { JournalEntry } from "@holdfast/protocol";

export class JournalFeed {
  #entries: JournalEntry[];
  #position = 0;
  readonly #early = new Map<number, JournalEntry>();
  /** The `seq` of the newest entry without a gap before it. */
  lastSeq: number;
  readonly #startSeq: number;

  constructor(journal: readonly JournalEntry[]) {
    this.#entries = [...journal];
    this.lastSeq = journal.at(-1)?.seq ?? 0;
    this.#startSeq = this.lastSeq;
  }

  receive(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      if (entry.seq > this.lastSeq) this.#early.set(entry.seq, entry);
    }
    for (
      let entry = this.#early.get(this.lastSeq + 1);
      entry !== undefined;
      entry = this.#early.get(this.lastSeq + 1)
    ) {
      this.#early.delete(entry.seq);
      this.#entries.push(entry);
      this.lastSeq = entry.seq;
    }
  }

  /** Returns the oldest entry that was not taken. */
  peek(): JournalEntry | undefined {
    return this.#entries[this.#position];
  }

  /** True while entries remain that existed when the execution started. */
  get replaying(): boolean {
    const next = this.peek();
    return next !== undefined && next.seq <= this.#startSeq;
  }

  take(): void {
    this.#position += 1;
    if (this.#position === this.#entries.length) {
      this.#entries = [];
      this.#position = 0;
    }
  }

  /** Returns the entries that were not taken. */
  rest(): readonly JournalEntry[] {
    return this.#entries.slice(this.#position);
  }
}
