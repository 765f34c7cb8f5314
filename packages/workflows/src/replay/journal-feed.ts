/**
 * The journal as an execution reads it: in order, without gaps, each entry once.
 *
 * Owns: the order. Answers to reports and updates may overtake each other on a pipe; entries are handed on by `seq`.
 */
import type { JournalEntry } from "@holdfast/protocol";

export class JournalFeed {
  #entries: JournalEntry[];
  #position = 0;
  readonly #early = new Map<number, JournalEntry>();
  /** The newest entry that was received in order. */
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

  /** The oldest entry that was not yet taken. */
  peek(): JournalEntry | undefined {
    return this.#entries[this.#position];
  }

  /** True while entries are left that were there when the execution began. */
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

  /** The entries that were not yet taken. */
  rest(): readonly JournalEntry[] {
    return this.#entries.slice(this.#position);
  }
}
