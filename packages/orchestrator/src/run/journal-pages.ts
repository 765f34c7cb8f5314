/**
 * The journal in pages, so that neither an object nor an execution holds all of it (REP6).
 *
 * Owns: the size of a page, and what an execution must know of the pages that it has not read.
 */
import type { ExecutionStart, JournalEntry } from "@holdfast/protocol";
import type { StoreReader } from "../host/store.ts";
import { JOURNAL_PREFIX, journalKey, listRows } from "./rows.ts";

/** The bounds of one page. It has one entry at least. */
export interface PageSize {
  readonly entries: number;
  /** In characters of encoded values. */
  readonly chars: number;
}

export const PAGE: PageSize = { entries: 1_000, chars: 1_048_576 };

/** The whole journal is one page: for executions that cannot read further pages. */
export const ONE_PAGE: PageSize = { entries: Infinity, chars: Infinity };

export class FirstPage {
  readonly entries: JournalEntry[] = [];
  readonly #size: PageSize;
  #chars = 0;
  #lastSeq = 0;
  /** The ids of tokens in later pages, by operation: the function needs them when it requests the tokens (WAIT7). */
  readonly #tokens: [string, string][] = [];

  constructor(size: PageSize) {
    this.#size = size;
  }

  add(entry: JournalEntry): void {
    const isNext = this.#lastSeq === (this.entries.at(-1)?.seq ?? 0);
    this.#lastSeq = entry.seq;
    this.#chars += charsOf(entry);
    const fits = this.entries.length < this.#size.entries && this.#chars <= this.#size.chars;
    if (isNext && (fits || this.entries.length === 0)) this.entries.push(entry);
    else if (entry.type === "wait.opened" && entry.tokenId !== undefined) this.#tokens.push([entry.op, entry.tokenId]);
  }

  /** The fields of a start message. */
  get start(): Pick<ExecutionStart, "journal" | "more"> {
    const { entries: journal } = this;
    if (this.#lastSeq === (journal.at(-1)?.seq ?? 0)) return { journal };
    return { journal, more: { lastSeq: this.#lastSeq, tokens: this.#tokens } };
  }
}

/** Reads the page after an entry. */
export function readPage(store: StoreReader, after: number, size: PageSize): JournalEntry[] {
  const entries: JournalEntry[] = [];
  let chars = 0;
  for (const [, entry] of listRows(store, JOURNAL_PREFIX, { after: journalKey(after), limit: size.entries })) {
    chars += charsOf(entry);
    if (entries.length > 0 && chars > size.chars) break;
    entries.push(entry);
  }
  return entries;
}

/** The characters of the values in an entry. The other fields are bounded. */
function charsOf(entry: JournalEntry): number {
  const value = "value" in entry ? entry.value : "error" in entry ? entry.error.data : undefined;
  return value?.length ?? (entry.type === "child.ended" ? JSON.stringify(entry.outcome).length : 0);
}
