/**
 * The journal of a run as far as it is loaded: the newest entries first, then those before (LIVE3).
 *
 * Owns: which part is loaded. It is one range of the journal without gaps, in the order in which the entries were written.
 *
 * Invariants
 * - JD1 An entry is in the range once, whatever was read.
 * - JD2 Earlier entries are published in growing parts, so that all of them together cost the page no more than a few
 *   times its rows.
 */
import { type ReadonlySignal, type Signal, computed, signal } from "@preact/signals";
import type { JournalEntry, JournalOptions } from "@holdfast/workflows/client";

export type ReadJournal = (options: JournalOptions) => AsyncIterable<JournalEntry>;

/** The entries of one page of the API. */
export const PAGE = 1_000;
/** The page adds at most so many entries at once: it must stay smooth meanwhile. */
const PART_MAX = 10_000;
/** What the page loads without being asked, entries and characters. A button loads more. */
const BACKGROUND = { entries: 100_000, chars: 32 * 1_024 * 1_024 } as const;

export class JournalData {
  readonly entries: Signal<readonly JournalEntry[]> = signal([]);
  /** The newest page is loaded. */
  readonly isRead: Signal<boolean> = signal(false);
  readonly isLoadingOlder: Signal<boolean> = signal(false);
  /** How many earlier entries are not loaded: entries are numbered from 1 without gaps. */
  readonly notLoaded: ReadonlySignal<number> = computed(() => Math.max(0, (this.entries.value[0]?.seq ?? 1) - 1));
  readonly #read: ReadJournal;
  #chars = 0;

  constructor(read: ReadJournal) {
    this.#read = read;
  }

  /** Reads the newest page at first, then what is newer than the range. */
  async readNewer(ended: AbortSignal): Promise<void> {
    if (!this.isRead.value) {
      const newest = await this.#page({ order: "desc", signal: ended });
      this.entries.value = newest.toReversed();
      this.isRead.value = true;
      return;
    }
    const found: JournalEntry[] = [];
    for await (const entry of this.#read({ after: this.entries.value.at(-1)?.seq ?? 0, signal: ended })) {
      found.push(entry);
      if (found.length >= PAGE) this.#append(found.splice(0));
    }
    this.#append(found);
  }

  /**
   * Loads earlier entries, page by page, while `wants` returns true. It gets the number of pages so far.
   * One call at a time loads; another one returns at once.
   */
  async readOlder(ended: AbortSignal, wants: (pages: number) => boolean): Promise<void> {
    if (this.isLoadingOlder.value || !this.isRead.value) return;
    this.isLoadingOlder.value = true;
    const waiting: JournalEntry[][] = [];
    const publish = (): void => this.#prepend(waiting.splice(0).toReversed().flat());
    try {
      for (let left = this.notLoaded.value, pages = 0; left > 0 && !ended.aborted && wants(pages); pages++) {
        const page = (await this.#page({ order: "desc", before: left + 1, signal: ended })).toReversed();
        if (page.length === 0) return;
        waiting.push(page);
        left = (page[0]?.seq ?? 1) - 1;
        const count = countOf(waiting);
        if (count >= PART_MAX || count * 2 >= this.entries.value.length) publish();
      }
    } finally {
      publish();
      this.isLoadingOlder.value = false;
    }
  }

  /** Whether the page should load earlier entries without being asked. */
  hasRoom(): boolean {
    return this.entries.value.length < BACKGROUND.entries && this.#chars < BACKGROUND.chars;
  }

  async #page(options: JournalOptions): Promise<JournalEntry[]> {
    const page: JournalEntry[] = [];
    for await (const entry of this.#read(options)) {
      this.#chars += JSON.stringify(entry).length;
      page.push(entry);
      // The next entry would cause the request of the next page.
      if (page.length >= PAGE) break;
    }
    return page;
  }

  #append(found: readonly JournalEntry[]): void {
    const last = this.entries.value.at(-1)?.seq ?? 0;
    const fresh = found.filter(({ seq }) => seq > last);
    if (fresh.length > 0) this.entries.value = [...this.entries.value, ...fresh];
  }

  #prepend(found: readonly JournalEntry[]): void {
    const first = this.entries.value[0]?.seq ?? Infinity;
    const older = found.filter(({ seq }) => seq < first);
    if (older.length > 0) this.entries.value = [...older, ...this.entries.value];
  }
}

function countOf(pages: readonly (readonly JournalEntry[])[]): number {
  return pages.reduce((sum, { length }) => sum + length, 0);
}
