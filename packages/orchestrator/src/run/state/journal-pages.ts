/**
 * The journal in pages, so that neither an object nor an execution holds all of it (REP6).
 *
 * Owns: the size of a page, and what an execution must know of the pages that it has not read.
 */
import { type ExecutionStart, type JournalEntry, PROFILE_0, type StepDispatcher, isOutcome } from "@holdfast/protocol";
import type { StoreReader } from "../../host/store.ts";
import type { RunIdentity } from "./run-identity.ts";
import { JOURNAL_PREFIX, journalKey, listRows } from "./rows.ts";

/** The bounds of one page. It has one entry at least. */
export interface PageSize {
  readonly entries: number;
  /** In characters of encoded values. */
  readonly chars: number;
  /**
   * A page takes time, in which the function continues. So the replay of each page contains a whole turn of the event
   * loop, in which the execution waits for the next page (REP2); the page is longer if necessary. See `PageFiller`.
   */
  readonly takesTime?: true;
}

export const PAGE: PageSize = { entries: 1_000, chars: 1_048_576 };

/** The whole journal is one page: for executions that cannot read further pages. */
export const ONE_PAGE: PageSize = { entries: Infinity, chars: Infinity };

/** Returns the bounds of the pages that the executions of a workflow can read. */
export function pageSizeOf(
  { dispatcher, pageSize = PAGE }: { readonly dispatcher: StepDispatcher; readonly pageSize?: PageSize | undefined },
  { workflowId, workflowVersion }: Pick<RunIdentity, "workflowId" | "workflowVersion">,
): PageSize {
  const reads = dispatcher.readsPages?.(workflowId, workflowVersion);
  if (reads === "later") return { ...pageSize, takesTime: true };
  return reads === true ? pageSize : ONE_PAGE;
}

/**
 * In a replay a short pause at least precedes each outcome, and a whole turn replaces each pause after `shortInARowMax`. So
 * there is a turn between the first and the last of this many outcomes.
 */
const OUTCOMES_WITH_TURN = PROFILE_0.shortInARowMax + 2;

/** Decides which entries belong to a page. */
class PageFiller {
  readonly #size: PageSize;
  #entries = 0;
  #outcomes = 0;
  #chars = 0;
  /** A whole turn of the event loop lies between two outcomes of the page. */
  #hasTurn = false;

  constructor(size: PageSize) {
    this.#size = size;
  }

  /** Counts the next entry, and returns whether it belongs to the page. */
  admits(entry: JournalEntry): boolean {
    const { entries, chars, takesTime } = this.#size;
    this.#chars += charsOf(entry);
    const isLate = isOutcome(entry) && entry.quiet === true;
    const isFull = this.#entries > 0 && (this.#entries >= entries || this.#chars > chars);
    if (isFull && (takesTime !== true || this.#hasTurn || isLate)) return false;
    this.#entries += 1;
    // A turn precedes each late outcome.
    if (isOutcome(entry)) this.#outcomes += 1;
    this.#hasTurn ||= this.#outcomes >= OUTCOMES_WITH_TURN || (isLate && this.#outcomes > 1);
    return true;
  }
}

/** How much of the later pages stays in memory after the first reading, so that it is not read twice, in characters. */
const AHEAD_CHARS = 24 * 2 ** 20;

export class FirstPage {
  readonly entries: JournalEntry[] = [];
  /** The entries after the page, without a gap, within `AHEAD_CHARS`. */
  readonly ahead: JournalEntry[] = [];
  readonly #filler: PageFiller;
  #chars = 0;
  #lastSeq = 0;
  /** The ids of tokens in later pages, by operation: the function needs them when it requests the tokens (WAIT7). */
  readonly #tokens: [string, string][] = [];

  constructor(size: PageSize) {
    this.#filler = new PageFiller(size);
  }

  add(entry: JournalEntry): void {
    const isNext = this.#lastSeq === (this.entries.at(-1)?.seq ?? 0);
    const continuesAhead = this.#lastSeq === (this.ahead.at(-1) ?? this.entries.at(-1))?.seq;
    this.#lastSeq = entry.seq;
    this.#chars += charsOf(entry);
    if (isNext && this.#filler.admits(entry)) {
      this.entries.push(entry);
      return;
    }
    if (continuesAhead && this.#chars <= AHEAD_CHARS) this.ahead.push(entry);
    if (entry.type === "wait.opened" && entry.tokenId !== undefined) this.#tokens.push([entry.op, entry.tokenId]);
  }

  /** The fields of a start message. */
  get start(): Pick<ExecutionStart, "journal" | "more"> {
    const { entries: journal } = this;
    if (this.#lastSeq === (journal.at(-1)?.seq ?? 0)) return { journal };
    return { journal, more: { lastSeq: this.#lastSeq, tokens: this.#tokens } };
  }
}

/** Reads the page after an entry. `ahead`: see `FirstPage`; it is emptied. */
export function readPage(store: StoreReader, after: number, size: PageSize, ahead: JournalEntry[]): JournalEntry[] {
  const entries: JournalEntry[] = [];
  const filler = new PageFiller(size);
  for (const entry of entriesAfter(store, after, size, ahead)) {
    if (!filler.admits(entry)) break;
    entries.push(entry);
  }
  return entries;
}

function* entriesAfter(
  store: StoreReader,
  after: number,
  { entries, takesTime }: PageSize,
  ahead: JournalEntry[],
): Generator<JournalEntry, void> {
  const first = ahead[0]?.seq ?? 0;
  ahead.splice(0, Math.max(after + 1 - first, 0));
  let last = after;
  for (const entry of ahead[0]?.seq === after + 1 ? ahead : []) {
    yield entry;
    last = entry.seq;
  }
  const limit = takesTime ? {} : { limit: entries };
  for (const [, entry] of listRows(store, JOURNAL_PREFIX, { after: journalKey(last), ...limit })) yield entry;
}

/** The characters of the values in an entry. The other fields are bounded. */
function charsOf(entry: JournalEntry): number {
  const value = "value" in entry ? entry.value : "error" in entry ? entry.error.data : undefined;
  return value?.length ?? (entry.type === "child.ended" ? JSON.stringify(entry.outcome).length : 0);
}
