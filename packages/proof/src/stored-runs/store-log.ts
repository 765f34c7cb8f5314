/**
 * What a world of runs has stored, as the list of its commits: each beginning of the list is a moment at which every
 * process may have died.
 *
 * Owns: the form of the fixture, and making stores of it again. A header is written down as what changed in it.
 */
import { RECORD_KEY, type WriteBatch } from "@holdfast/orchestrator";
import { type MemoryHost, MemoryStore } from "@holdfast/workflows/testing";

export interface StoredCommit {
  readonly run: string;
  readonly now: number;
  /** The alarm of the run's object afterwards. */
  readonly alarm: number | null;
  /** How many of the scenario's cues have been acted. */
  readonly cues: number;
  /** Fields of the header that this commit set, and those that it removed. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly unset?: readonly string[];
  readonly puts: Readonly<Record<string, object>>;
  readonly deletes?: readonly string[];
  /** Which of the scenario's ends the run came to from here; absent: this moment is not driven on. */
  readonly end?: number;
}

type Header = Readonly<Record<string, unknown>>;

export class StoreLog {
  readonly commits: StoredCommit[] = [];
  readonly #headers = new Map<string, Header>();
  cues = 0;

  /** Writes down the commits of this host too. */
  watch(host: MemoryHost): void {
    const { afterCommit } = host.store;
    host.store.afterCommit = (batch) => {
      this.#note(host, batch);
      afterCommit(batch);
    };
  }

  #note(host: MemoryHost, { puts, deletes }: WriteBatch): void {
    const rows = JSON.parse(JSON.stringify(Object.fromEntries(puts))) as Record<string, object>;
    const header = rows[RECORD_KEY] as Header | undefined;
    delete rows[RECORD_KEY];
    this.commits.push({
      run: host.runId,
      now: host.clock.now(),
      alarm: host.store.alarm,
      cues: this.cues,
      ...(header === undefined ? {} : this.#changes(host.runId, header)),
      puts: rows,
      ...(deletes.size === 0 ? {} : { deletes: [...deletes] }),
    });
  }

  #changes(run: string, header: Header): Pick<StoredCommit, "header" | "unset"> {
    const before = this.#headers.get(run) ?? {};
    this.#headers.set(run, header);
    const changed = Object.entries(header).filter(([key, value]) => !isSame(value, before[key]));
    const unset = Object.keys(before).filter((key) => !(key in header));
    return { header: Object.fromEntries(changed), ...(unset.length === 0 ? {} : { unset }) };
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The stores of all runs, by run id in the order of their creation, as these commits left them. */
export function storesOf(commits: readonly StoredCommit[]): Map<string, MemoryStore> {
  const stores = new Map<string, MemoryStore>();
  const headers = new Map<string, Header>();
  for (const { run, alarm, header, unset = [], puts, deletes = [] } of commits) {
    const store = stores.get(run) ?? new MemoryStore();
    stores.set(run, store);
    const rows = new Map(Object.entries(puts));
    if (header !== undefined) {
      const kept = Object.entries(headers.get(run) ?? {}).filter(([key]) => !unset.includes(key));
      const whole = { ...Object.fromEntries(kept), ...header };
      headers.set(run, whole);
      rows.set(RECORD_KEY, whole);
    }
    store.commit({ puts: rows, deletes: new Set(deletes), alarm });
  }
  return stores;
}
