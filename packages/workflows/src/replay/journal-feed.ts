/**
 * The journal as an execution reads it: in order, without gaps, each entry once.
 *
 * Owns: the order. Answers and updates may overtake each other on a pipe, so entries are delivered in order of `seq`.
 */
import {
  type ExecutionPort,
  type ExecutionStart,
  HoldfastError,
  type JournalEntry,
  isKnownEntry,
} from "@holdfast/protocol";

export class JournalFeed {
  /** The entries of the page, and of no other. */
  #page: readonly JournalEntry[];
  #position = 0;
  /** Newer entries than those of the start, in order. */
  #newer: JournalEntry[] = [];
  readonly #early = new Map<number, JournalEntry>();
  /** The `seq` of the newest entry without a gap before it. Pages before it may be unread. */
  lastSeq: number;
  readonly #startSeq: number;
  /** The `seq` of the last entry of the page. */
  #readSeq: number;
  readonly #port: ExecutionPort;
  readonly #arrived: () => void;
  /** A page that took time. */
  #later: readonly JournalEntry[] | undefined;
  /** True while a page is on its way. */
  waits = false;

  /** `arrived` is called when a page has arrived that took time. */
  constructor({ journal, more }: ExecutionStart, port: ExecutionPort, arrived: () => void) {
    this.#page = journal;
    this.#readSeq = journal.at(-1)?.seq ?? 0;
    this.lastSeq = more?.lastSeq ?? this.#readSeq;
    this.#startSeq = this.lastSeq;
    this.#port = port;
    this.#arrived = arrived;
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
      this.#newer.push(entry);
      this.lastSeq = entry.seq;
    }
  }

  /**
   * Returns the oldest entry that was not taken; none if `waits` is true.
   * @throws HoldfastError if the next page cannot be read, or has an entry that newer code wrote.
   */
  peek(): JournalEntry | undefined {
    if (this.#position === this.#page.length) this.#turnPage();
    return this.#page[this.#position];
  }

  #turnPage(): void {
    this.#position = 0;
    if (this.#readSeq < this.#startSeq) return this.#readPage();
    this.#page = this.#newer;
    this.#newer = [];
  }

  #readPage(): void {
    this.#page = [];
    if (this.waits) return;
    const read = this.#later ?? this.#port.readPage?.(this.#readSeq) ?? [];
    this.#later = undefined;
    if ("then" in read) this.#await(read);
    else this.#usePage(read);
  }

  #await(read: PromiseLike<readonly JournalEntry[]>): void {
    this.waits = true;
    const arrive = (page: readonly JournalEntry[]): void => {
      this.waits = false;
      this.#later = page;
      this.#arrived();
    };
    // The pipe broke: the missing page ends the execution.
    read.then(arrive, () => arrive([]));
  }

  #usePage(read: readonly JournalEntry[]): void {
    const page = read.filter(({ seq }) => seq > this.#readSeq && seq <= this.#startSeq);
    const last = page.at(-1);
    if (last === undefined)
      throw new HoldfastError("DISPATCH_FAILED", `Journal entry ${this.#readSeq + 1} is missing.`);
    const unknown = page.find((entry) => !isKnownEntry(entry));
    if (unknown !== undefined)
      throw new HoldfastError(
        "PROTOCOL_MISMATCH",
        `The journal contains ${unknown.type}, which this step handler does not support.`,
      );
    this.#page = page;
    this.#readSeq = last.seq;
  }

  /** True while entries remain that existed when the execution started. */
  get replaying(): boolean {
    const next = this.#page[this.#position];
    return this.#readSeq < this.#startSeq || (next !== undefined && next.seq <= this.#startSeq);
  }

  take(): void {
    this.#position += 1;
  }

  /** Returns the entries of the page that were not taken. */
  rest(): readonly JournalEntry[] {
    return this.#page.slice(this.#position);
  }
}
