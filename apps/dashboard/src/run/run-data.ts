/**
 * What the page of a run knows about it: its record, its journal, and whether both are current.
 *
 * Owns: the signals. `watch.ts` keeps them current; what was read stays shown when a request fails.
 */
import { type Signal, signal } from "@preact/signals";
import type { JournalEntry, RunRecord } from "@holdfast/workflows/client";
import { type Failure, failureOf } from "../failure.tsx";
import type { LiveState } from "../live/follow.ts";
import { api } from "../session.ts";
import { JournalData, PAGE } from "./journal-data.ts";

/** Earlier pages of a child that the timeline shows. The page of the child shows all. */
const CHILD_PAGES = 9;
/** Pages that one request of the reader loads. */
const MORE_PAGES = 10;

export class RunData {
  readonly id: string;
  readonly record: Signal<RunRecord | undefined> = signal(undefined);
  readonly journal: JournalData;
  readonly live: Signal<LiveState> = signal("connecting");
  readonly failure: Signal<Failure | undefined> = signal(undefined);

  constructor(id: string) {
    this.id = id;
    this.journal = new JournalData((options) => api().run(id).journal(options));
  }

  /** Reads it again soon, because the reader of the page changed the run. Set by what keeps it current. */
  changed: () => void = () => {};

  /** Loads more of the earlier entries, because the reader wants them. */
  async loadMore(): Promise<void> {
    try {
      await this.journal.readOlder(new AbortController().signal, (pages) => pages < MORE_PAGES);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Shows a failure. Returns whether the same request may succeed later. */
  failed(error: unknown): boolean {
    const failure = failureOf(error);
    // Without credentials the page stays as it is: the sign-in panel is over it.
    if (failure.status !== 401) this.failure.value = failure;
    return failure.status === undefined || failure.status >= 500 || failure.status === 429;
  }
}

export interface WholeRun {
  readonly run: RunRecord;
  readonly entries: readonly JournalEntry[];
}

/** Reads a run once, with its whole journal. `onCount` gets the number of entries so far. */
export async function readWholeRun(
  id: string,
  { signal: ended, onCount }: { readonly signal?: AbortSignal; readonly onCount?: (count: number) => void } = {},
): Promise<WholeRun> {
  const handle = api().run(id);
  const run = await handle.get({ signal: ended });
  const entries: JournalEntry[] = [];
  for await (const entry of handle.journal({ signal: ended })) {
    entries.push(entry);
    if (entries.length % PAGE === 0) onCount?.(entries.length);
  }
  return { run, entries };
}

/** Reads a child that the reader opens: its newest entries, and the number of those before. */
export async function readChild(id: string): Promise<WholeRun & { readonly notLoaded: number }> {
  const handle = api().run(id);
  const run = await handle.get();
  const journal = new JournalData((options) => handle.journal(options));
  const { signal: never } = new AbortController();
  await journal.readNewer(never);
  await journal.readOlder(never, (pages) => pages < CHILD_PAGES);
  return { run, entries: journal.entries.value, notLoaded: journal.notLoaded.value };
}
