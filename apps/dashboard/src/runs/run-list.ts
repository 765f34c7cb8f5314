/**
 * The runs that a filter selects, the newest first, and kept current.
 *
 * Owns: the rows. Rows that are shown change in place and never move; runs that are new are counted until the reader asks for
 * them.
 */
import { type Signal, signal } from "@preact/signals";
import type { ListedRun, RunFilter } from "@holdfast/workflows/client";
import { type Failure, failureOf } from "../failure.tsx";
import { poll } from "../poll.ts";
import { api } from "../session.ts";

const EVERY_MS = 5_000;
const PAGE = 50;

export class RunList {
  readonly #filter: RunFilter;
  readonly rows: Signal<readonly ListedRun[] | undefined> = signal(undefined);
  /** New runs, which are not among the rows yet. */
  readonly fresh: Signal<readonly ListedRun[]> = signal([]);
  readonly cursor: Signal<string | null> = signal(null);
  readonly failure: Signal<Failure | undefined> = signal(undefined);

  constructor(filter: RunFilter) {
    this.#filter = filter;
  }

  /** Returns the function that ends it. */
  watch(): () => void {
    return poll(EVERY_MS, async (ended) => {
      try {
        const { runs, nextCursor } = await api().list({ ...this.#filter, limit: PAGE, signal: ended });
        this.#take(runs, nextCursor);
        this.failure.value = undefined;
        return true;
      } catch (error) {
        if (ended.aborted) return false;
        const failure = failureOf(error);
        if (failure.status !== 401) this.failure.value = failure;
        if (failure.status === 401 || failure.status === 403 || failure.status === 501) return false;
        throw error;
      }
    });
  }

  showFresh(): void {
    this.rows.value = [...this.fresh.value, ...(this.rows.value ?? [])];
    this.fresh.value = [];
  }

  async more(): Promise<void> {
    const cursor = this.cursor.value;
    if (cursor === null) return;
    try {
      const { runs, nextCursor } = await api().list({ ...this.#filter, limit: PAGE, cursor });
      const known = new Set(this.rows.value?.map(({ id }) => id));
      this.rows.value = [...(this.rows.value ?? []), ...runs.filter(({ id }) => !known.has(id))];
      this.cursor.value = nextCursor;
    } catch (error) {
      this.failure.value = failureOf(error);
    }
  }

  #take(runs: readonly ListedRun[], nextCursor: string | null): void {
    const rows = this.rows.value;
    if (rows === undefined || rows.length === 0) {
      this.rows.value = runs;
      this.cursor.value = nextCursor;
      return;
    }
    const newest = new Map(runs.map((run) => [run.id, run]));
    const known = new Set(rows.map(({ id }) => id));
    this.rows.value = rows.map((row) => newest.get(row.id) ?? row);
    this.fresh.value = runs.filter(({ id }) => !known.has(id));
  }
}
