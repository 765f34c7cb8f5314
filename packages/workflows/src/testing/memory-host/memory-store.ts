/**
 * The store port in memory, for the in-memory host and the plain-Node suites.
 *
 * Owns: the rows, which it copies on each read and write, as real storage does, and the counts of writes. Large rows are
 * in parts, as in real storage, if `partChars` says so.
 */
import {
  type ListOptions,
  type RunStore,
  SplitRows,
  type WriteBatch,
  alarmToSet,
  isWrittenOnce,
} from "@holdfast/orchestrator";
import { plainCopy } from "./plain-copy.ts";
import { webPlatform } from "../../replay/platform.ts";
import { PlatformAlarm } from "./platform-alarm.ts";
import { SortedRows } from "./sorted-rows.ts";

/** The number of turns of the event loop after which a commit is durable without a call of `sync`. */
const TURNS_UNTIL_DURABLE = 4;

export class MemoryStore implements RunStore {
  /** What is stored, by key: rows, their parts, and placeholders. */
  #values = new SortedRows();
  readonly #rows = new SplitRows(
    {
      get: (key) => this.#values.get(key),
      put: (key, value) => this.#values.put(key, value),
      delete: (key) => this.#values.delete(key),
    },
    { partChars: () => this.partChars, isWrittenOnce },
  );
  /** The limit of a value, in characters: larger rows are in parts (S3). */
  partChars: number = Infinity;
  readonly platformAlarm: PlatformAlarm = new PlatformAlarm();
  /** The time, ms since the epoch. Without a clock no alarm is in the past. */
  clock: () => number = () => -Infinity;
  /** Called before each commit. The commit throws its errors. */
  beforeCommit: (batch: WriteBatch) => void = () => {};
  /** Called after each commit. */
  afterCommit: (batch: WriteBatch) => void = () => {};
  /** The number of the process that uses the store. */
  #process = 1;
  /** The commits that are not durable, oldest first, each with what was stored before it: they may be lost (S4). */
  #losable: {
    readonly commit: number;
    readonly values: ReadonlyMap<string, unknown>;
    readonly alarm: number | null;
  }[] = [];
  #commit = 0;
  /** The time of the alarm that fired, until the first commit after it: this commit takes the alarm out of the storage. */
  #fired: number | null = null;
  /** Whether commits that are not durable may be lost with the process. */
  losesCommits = false;
  readonly counts = { commits: 0, rowsWritten: 0, rowsDeleted: 0, alarmsSet: 0, rowsListed: 0, journalReads: 0 };

  /** When the alarm fires. */
  get alarm(): number | null {
    return this.platformAlarm.scheduled;
  }

  /** The number of commits that are lost if the process dies now. */
  get losable(): number {
    return this.#losable.length;
  }

  /** Clears the alarm when it fires. */
  takeAlarm(): void {
    this.#fired = this.alarm;
    this.platformAlarm.fire();
  }

  get(key: string): unknown {
    return this.#read(key);
  }

  *list(prefix: string, options: ListOptions = {}): Iterable<readonly [string, unknown]> {
    if (prefix === "journal/" && options.limit === undefined) this.counts.journalReads += 1;
    for (const key of this.#values.keys(prefix, options)) {
      this.counts.rowsListed += 1;
      yield [key, this.#read(key)];
    }
  }

  #read(key: string): unknown {
    const stored = this.#values.get(key);
    return stored === undefined ? undefined : plainCopy(this.#rows.join(key, stored));
  }

  commit(batch: WriteBatch): undefined {
    this.beforeCommit(batch);
    if (this.losesCommits) {
      this.#commit += 1;
      const alarm = this.platformAlarm.stored ?? this.#fired;
      this.#losable.push({ commit: this.#commit, values: new Map(this.#values.rows), alarm });
      void this.#becomesDurable(TURNS_UNTIL_DURABLE);
    }
    this.#fired = null;
    // Copy all rows before any change: a row that cannot be copied must change nothing.
    const copies = [...batch.puts].map(([key, row]) => [key, plainCopy(row)] as const);
    for (const key of batch.deletes) this.#rows.delete(key);
    for (const [key, row] of copies) this.#rows.put(key, row);
    if (batch.alarm !== undefined) {
      this.setAlarm(batch.alarm);
      this.counts.alarmsSet += 1;
    }
    this.counts.commits += 1;
    this.counts.rowsWritten += batch.puts.size;
    this.counts.rowsDeleted += batch.deletes.size;
    this.afterCommit(batch);
  }

  /** Calls `done` in a later turn of the event loop, unless the process dies before (S4). */
  sync(done: (error?: unknown) => void): void {
    void this.#becomesDurable(1).then((durable) => durable && done());
  }

  /** Resolves when all commits until now are durable; with false if the process dies before. */
  async durable(): Promise<boolean> {
    const process = this.#process;
    const commit = this.#commit;
    while (this.#process === process && (this.#losable[0]?.commit ?? Infinity) <= commit) await webPlatform.turn();
    return this.#process === process;
  }

  /** Ends the process: calls of `sync` get no answer. `loses`: the commits that are not durable are lost. */
  restart(loses: boolean): void {
    this.#rows.forget();
    this.#process += 1;
    const [lost] = this.#losable;
    if (loses && lost !== undefined) {
      this.#values = new SortedRows(lost.values);
      this.platformAlarm.restart(lost.alarm);
    }
    this.#losable = [];
  }

  /** Makes all commits until now durable after some turns. Resolves with false if the process dies before. */
  async #becomesDurable(turns: number): Promise<boolean> {
    const process = this.#process;
    const commit = this.#commit;
    for (let turn = 0; turn < turns; turn++) await webPlatform.turn();
    if (this.#process !== process) return false;
    this.#losable = this.#losable.filter((losable) => losable.commit > commit);
    return true;
  }

  /** Sets the alarm for a run that must be woken at `wanted`, ms since 1970 (A1). */
  setAlarm(wanted: number | null): void {
    const now = this.clock();
    const { inFlight } = this.platformAlarm;
    this.platformAlarm.set(wanted === null ? null : alarmToSet(wanted, { now, inFlight }), now);
  }

  /** Changes a row without the engine, for deliberate faults. */
  overwrite(key: string, row: object): void {
    this.#rows.put(key, plainCopy(row));
  }

  /** Replaces all rows by those of an earlier `dump`, as a restored back-up does. The platform has no alarm then. */
  rewind(rows: Readonly<Record<string, unknown>>): void {
    this.#values = new SortedRows(Object.entries(plainCopy(rows)));
    this.#rows.forget();
    this.platformAlarm.restart(null);
  }

  /** Deletes all rows and the alarm. */
  clear(): void {
    this.#values.clear();
    this.setAlarm(null);
  }

  erase(key: string): void {
    this.#rows.delete(key);
  }

  /** Returns all rows, for comparisons. */
  dump(): Record<string, unknown> {
    const keys = this.#values.keys("").filter((key) => !key.startsWith("part/"));
    return Object.fromEntries(keys.map((key) => [key, this.#read(key)]));
  }

  /** What is stored, also the parts of rows and their placeholders. */
  get stored(): ReadonlyMap<string, unknown> {
    return this.#values.rows;
  }
}
