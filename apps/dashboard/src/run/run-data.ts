/**
 * What the page of a run knows about it, and keeps current.
 *
 * Owns: the record, with the reasons of its descendants, and the journal, page by page. Reads them every two seconds until
 * the run has ended; what was read stays shown when a request fails.
 */
import { type Signal, signal } from "@preact/signals";
import { type JournalEntry, type RunRecord, isTerminal } from "@holdfast/workflows/client";
import { type Failure, failureOf } from "../failure.tsx";
import { poll } from "../poll.ts";
import { api } from "../session.ts";

const EVERY_MS = 2_000;
/** The entries of one page of the API: the page shows them as they arrive. */
const PAGE = 1_000;

export class RunData {
  readonly id: string;
  readonly record: Signal<RunRecord | undefined> = signal(undefined);
  readonly entries: Signal<readonly JournalEntry[]> = signal([]);
  /** More entries exist than are loaded. */
  readonly loading: Signal<boolean> = signal(true);
  readonly failure: Signal<Failure | undefined> = signal(undefined);

  constructor(id: string) {
    this.id = id;
  }

  /** Returns the function that ends it. */
  watch(): () => void {
    return poll(EVERY_MS, async (ended) => {
      try {
        const run = await this.#read(ended);
        this.failure.value = undefined;
        return !isTerminal(run.status);
      } catch (error) {
        if (ended.aborted) return false;
        const failure = failureOf(error);
        // Without credentials the page stays as it is: the sign-in panel is over it.
        if (failure.status !== 401) this.failure.value = failure;
        if (failure.status !== undefined && failure.status < 500 && failure.status !== 429) return false;
        throw error;
      }
    });
  }

  async #read(ended: AbortSignal): Promise<RunRecord> {
    const run = api().run(this.id);
    // The record is older than the journal, so an ended record has a whole journal.
    const record = await run.get({ why: "deep", signal: ended });
    this.record.value = record;
    const found: JournalEntry[] = [];
    for await (const entry of run.journal({ after: this.entries.value.at(-1)?.seq ?? 0, signal: ended })) {
      found.push(entry);
      if (found.length >= PAGE) this.#add(found.splice(0));
    }
    this.#add(found);
    this.loading.value = false;
    return record;
  }

  #add(found: readonly JournalEntry[]): void {
    if (found.length > 0) this.entries.value = [...this.entries.value, ...found];
  }
}

/** Reads a run once, with its journal: a child that the reader opens. */
export async function readWholeRun(
  id: string,
): Promise<{ readonly run: RunRecord; readonly entries: readonly JournalEntry[] }> {
  const handle = api().run(id);
  const run = await handle.get();
  const entries: JournalEntry[] = [];
  for await (const entry of handle.journal()) entries.push(entry);
  return { run, entries };
}
