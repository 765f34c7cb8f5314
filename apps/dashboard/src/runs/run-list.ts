/**
 * The runs that a filter selects, the newest first, and kept current.
 *
 * Owns: the rows. Rows that are shown change in place and never move; runs that are new are counted until the reader asks for
 * them, and those that left the filter stay, marked, until then.
 *
 * Invariants
 * - RL1 A run is shown once. An answer that is older than what is shown changes nothing.
 */
import { type Signal, signal } from "@preact/signals";
import type { ListedRun, RunFilter } from "@holdfast/workflows/client";

/** A page of the API. */
export interface Page {
  readonly runs: readonly ListedRun[];
  readonly nextCursor: string | null;
}

export const PAGE = 50;
/** The newest rows that are kept current: one page of the API. */
const PAGE_MAX = 200;

export class RunList {
  readonly filter: RunFilter;
  readonly rows: Signal<readonly ListedRun[] | undefined> = signal(undefined);
  /** New runs, which are not among the rows yet. */
  readonly fresh: Signal<readonly ListedRun[]> = signal([]);
  /** There are more new runs than `fresh` has. */
  readonly hasMoreFresh: Signal<boolean> = signal(false);
  /** The ids of rows that the filter does not select any more, or that are deleted. */
  readonly left: Signal<ReadonlySet<string>> = signal(new Set());
  readonly cursor: Signal<string | null> = signal(null);
  readonly selected: Signal<ReadonlySet<string>> = signal(new Set());
  #newest: Page = { runs: [], nextCursor: null };

  constructor(filter: RunFilter) {
    this.filter = filter;
  }

  /** How many of the newest runs to read, so that the rows are current. */
  get limit(): number {
    const rows = (this.rows.value?.length ?? 0) + this.fresh.value.length;
    return Math.min(PAGE_MAX, Math.max(PAGE, Math.ceil(rows / PAGE) * PAGE));
  }

  /** Takes over the newest runs. */
  takeNewest(page: Page): void {
    const rows = this.rows.value;
    this.#newest = page;
    // A page may be empty although later pages are not: the reader is there already.
    if (rows?.length === 0 && page.runs.length === 0) return;
    if (rows === undefined || rows.length === 0) {
      this.rows.value = page.runs;
      this.cursor.value = page.nextCursor;
      return;
    }
    const newest = new Map(page.runs.map((run) => [run.id, run]));
    const known = new Set(rows.map(({ id }) => id));
    this.rows.value = rows.map((row) => newerOf(row, newest.get(row.id)));
    this.fresh.value = page.runs.filter(({ id }) => !known.has(id));
    this.hasMoreFresh.value = page.nextCursor !== null && !page.runs.some(({ id }) => known.has(id));
    this.left.value = new Set(rows.filter((row) => isIn(page, row) && !newest.has(row.id)).map(({ id }) => id));
  }

  /** Shows the new runs, and removes those that left. */
  showFresh(): void {
    if (this.hasMoreFresh.value) {
      // Those between the new ones and the rows are not loaded: the list begins again.
      this.rows.value = this.#newest.runs;
      this.cursor.value = this.#newest.nextCursor;
    } else {
      const stay = (this.rows.value ?? []).filter(({ id }) => !this.left.value.has(id));
      this.rows.value = [...this.fresh.value, ...stay];
    }
    this.fresh.value = [];
    this.left.value = new Set();
    this.hasMoreFresh.value = false;
  }

  /** Takes over the page after a cursor. The list may have begun again meanwhile: then there would be a gap. */
  takeOlder({ runs, nextCursor }: Page, after: string): void {
    if (after !== this.cursor.value) return;
    const known = new Set(this.rows.value?.map(({ id }) => id));
    this.rows.value = [...(this.rows.value ?? []), ...runs.filter(({ id }) => !known.has(id))];
    this.cursor.value = nextCursor;
  }

  select(id: string, isSelected: boolean): void {
    const selected = new Set(this.selected.value);
    if (isSelected) selected.add(id);
    else selected.delete(id);
    this.selected.value = selected;
  }
}

function newerOf(row: ListedRun, other: ListedRun | undefined): ListedRun {
  return other === undefined || other.updatedAt < row.updatedAt ? row : other;
}

/** Whether a page, the newest runs, would have this run. */
function isIn({ runs, nextCursor }: Page, { createdAt }: ListedRun): boolean {
  const last = runs.at(-1);
  return nextCursor === null || (last !== undefined && createdAt > last.createdAt);
}
