/**
 * The journal as an execution reads it: in order, without gaps, each entry once.
 *
 * Owns: the order, and the pages. Answers and updates may overtake each other on a pipe, so entries are delivered in order
 * of `seq`. Each page is requested when the execution begins to read the page before it, and `Quiescence` waits for it at
 * a whole turn of the event loop: so it is there when the function is ready for it (X2).
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
  /** The page after it, which is read ahead. */
  #next: readonly JournalEntry[] | undefined;
  /** Resolves when that page arrives. */
  arriving: PromiseLike<void> | undefined;

  /** `arrived` is called when a page has arrived for which `waits` was true. */
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
    if (this.#hasMore && this.#next === undefined && this.arriving === undefined) this.#readAhead();
    if (this.#position === this.#page.length && !this.waits) this.#turnPage();
    return this.#page[this.#position];
  }

  /** True while the execution has taken the whole page, and the next one is on its way. */
  get waits(): boolean {
    return this.#hasMore && this.#next === undefined && this.#position === this.#page.length;
  }

  get #hasMore(): boolean {
    return this.#readSeq < this.#startSeq;
  }

  #readAhead(): void {
    const read = this.#port.readPage?.(this.#readSeq) ?? [];
    const arrive = (page: readonly JournalEntry[]): void => {
      const { waits } = this;
      this.arriving = undefined;
      this.#next = page;
      if (waits) this.#arrived();
    };
    // The pipe broke: the missing page ends the execution.
    if ("then" in read) this.arriving = read.then(arrive, () => arrive([]));
    else this.#next = read;
  }

  #turnPage(): void {
    this.#position = 0;
    const next = this.#next;
    this.#next = undefined;
    if (next === undefined) {
      this.#page = this.#newer;
      this.#newer = [];
      return;
    }
    this.#page = next.filter(({ seq }) => seq <= this.#startSeq);
    const last = this.#page.at(-1);
    if (last === undefined)
      throw new HoldfastError("DISPATCH_FAILED", `Journal entry ${this.#readSeq + 1} is missing.`);
    this.#readSeq = last.seq;
    const unknown = this.#page.find((entry) => !isKnownEntry(entry));
    if (unknown !== undefined)
      throw new HoldfastError(
        "PROTOCOL_MISMATCH",
        `The journal contains ${unknown.type}, which this step handler does not support.`,
      );
  }

  /** True while entries remain that existed when the execution started. */
  get replaying(): boolean {
    const next = this.#page[this.#position];
    return this.#hasMore || (next !== undefined && next.seq <= this.#startSeq);
  }

  take(): void {
    this.#position += 1;
  }

  /** Returns the entries of the page that were not taken. */
  rest(): readonly JournalEntry[] {
    return this.#page.slice(this.#position);
  }
}
