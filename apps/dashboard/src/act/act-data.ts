/**
 * What a form shows of its run: the record with the answers to its actions, and the journal.
 *
 * Owns: reading both when a form opens and after each request. The forms can be used before the journal is read.
 */
import { type Signal, signal } from "@preact/signals";
import type { JournalEntry, RunAction, RunActionName, RunOverview } from "@holdfast/workflows/client";
import { type Failure, failureOf } from "../failure.tsx";
import { api } from "../session.ts";

export class ActData {
  readonly runId: string;
  readonly record: Signal<RunOverview | undefined> = signal(undefined);
  readonly entries: Signal<readonly JournalEntry[]> = signal([]);
  /** Whether the whole journal is read. */
  readonly isWhole: Signal<boolean> = signal(false);
  readonly failure: Signal<Failure | undefined> = signal(undefined);

  #reading: AbortController | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Reads both, instead of a reading that is not finished. */
  load(): void {
    this.end();
    const { signal: ended } = (this.#reading = new AbortController());
    this.#read(ended).catch((error: unknown) => {
      if (!ended.aborted) this.failure.value = failureOf(error);
    });
  }

  end(): void {
    this.#reading?.abort();
  }

  /** The server's refusal of an action; `undefined`: it accepts, or is not asked yet. */
  refusalOf(action: RunActionName): RunAction["refused"] {
    return this.record.value?.actions?.find((one) => one.action === action)?.refused;
  }

  async #read(ended: AbortSignal): Promise<void> {
    const run = api().run(this.runId);
    this.record.value = await run.get({ view: "summary", actions: true, signal: ended });
    this.failure.value = undefined;
    const entries = [...this.entries.value];
    for await (const entry of run.journal({ after: entries.at(-1)?.seq ?? 0, signal: ended })) entries.push(entry);
    this.entries.value = entries;
    this.isWhole.value = true;
  }
}
