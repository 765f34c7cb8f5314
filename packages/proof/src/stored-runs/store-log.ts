/**
 * The commits of a world of runs, in order. Each prefix of the list is a state in which every process may have died.
 *
 * Owns: the form of the fixture, and the reconstruction of stores from it. A header is recorded as its changes.
 */
import { RECORD_KEY, type WriteBatch } from "@holdfast/orchestrator";
import { type MemoryHost, MemoryStore } from "@holdfast/workflows/testing";

export interface StoredCommit {
  readonly run: string;
  readonly now: number;
  /** The alarm of the run's object after this commit. */
  readonly alarm: number | null;
  /** The number of performed cues. */
  readonly cues: number;
  /** Fields of the header that this commit set, and those that it removed. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly unset?: readonly string[];
  readonly puts: Readonly<Record<string, object>>;
  readonly deletes?: readonly string[];
  /** The position of the scenario's end to which this commit leads. Absent: the run is not continued from this commit. */
  readonly end?: number;
}

type Header = Readonly<Record<string, unknown>>;

export class StoreLog {
  readonly commits: StoredCommit[] = [];
  readonly #headers = new Map<string, Header>();
  cues = 0;

  /** Records the commits of this host too. */
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

/** Returns the stores of all runs after these commits, by run id in the order of creation. */
export function storesOf(commits: readonly StoredCommit[]): Map<string, MemoryStore> {
  const stores = new Map<string, MemoryStore>();
  const headers = new Map<string, Header>();
  for (const { run, alarm, header, unset = [], puts, deletes = [] } of commits) {
    const store = stores.get(run) ?? new MemoryStore();
    stores.set(run, store);
    const rows = new Map(Object.entries(puts));
    if (header !== undefined) {
      const unchanged = Object.entries(headers.get(run) ?? {}).filter(([key]) => !unset.includes(key));
      const whole = { ...Object.fromEntries(unchanged), ...header };
      headers.set(run, whole);
      rows.set(RECORD_KEY, whole);
    }
    store.commit({ puts: rows, deletes: new Set(deletes), alarm });
  }
  return stores;
}
