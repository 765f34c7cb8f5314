/**
 * The store port over the synchronous storage of a Durable Object.
 *
 * Owns: the size of the parts of large rows (S3), the placeholders of rows that were moved to a bucket,
 * and the alarm, which is never set to a time that the platform would ignore (A1).
 *
 * Invariants
 * - All writes of a commit happen in one turn of the event loop, so the platform commits them together with the alarm
 *   (S1). The output gate holds later messages of the object until the writes are durable (DUR1, DUR2).
 */
import {
  FIRST_PARTS,
  type ListOptions,
  type RunStore,
  SplitRows,
  type WriteBatch,
  alarmToSet,
  isWrittenOnce,
} from "@holdfast/orchestrator";
import type { DurableObjectStorageLike, SyncKvListOptions } from "../platform-types.ts";

/** The limit of one part of a row, in characters. The platform's limit is 2 MB, and a character may take two bytes. */
const PART_CHARS_MAX = 500_000;

/** The platform accepts times from 1970 to 2189. An alarm that fires early finds no due timer and sets the next alarm. */
const ALARM_MS_MIN = 1;
const ALARM_MS_MAX = Date.UTC(2189, 0, 1);

/** The placeholder of a row that was moved to a bucket: its name there, and the row without large texts. */
interface MovedRow {
  readonly movedTo: string;
  readonly rest: unknown;
}

const MOVED_PREFIX = "moved/";

export class DurableObjectStore implements RunStore {
  readonly #storage: DurableObjectStorageLike;
  readonly #rows: SplitRows;
  /** Moved rows that are loaded for readers: the text of each row by its name in the bucket. */
  readonly loaded: Map<string, string> = new Map();
  readonly #onAlarmError: (error: unknown) => void;
  readonly #clock: () => number;
  /** The time of the last alarm that this instance set, ms since the epoch. */
  #alarm: number | undefined;
  #alarmInFlight: number | undefined;

  constructor(
    storage: DurableObjectStorageLike,
    onAlarmError: (error: unknown) => void,
    clock: () => number = () => Date.now(),
  ) {
    this.#storage = storage;
    this.#rows = new SplitRows(storage.kv, { partChars: () => PART_CHARS_MAX, isWrittenOnce });
    this.#onAlarmError = onAlarmError;
    this.#clock = clock;
  }

  /** Called when the alarm fires. `wanted`: its time, ms since the epoch, if this instance has not set it. */
  alarmFires(wanted: number | null): void {
    this.#alarmInFlight = this.#alarm ?? wanted ?? undefined;
    this.#alarm = undefined;
  }

  /** Sets the alarm for a run that must be woken at `wanted`, ms since the epoch (A1). */
  setAlarm(wanted: number): Promise<void> {
    const at = alarmToSet(wanted, { now: this.#clock(), inFlight: this.#alarmInFlight });
    this.#alarm = Math.min(Math.max(at, ALARM_MS_MIN), ALARM_MS_MAX);
    return this.#storage.setAlarm(this.#alarm);
  }

  get(key: string): unknown {
    return this.#join(key, this.#storage.kv.get(key));
  }

  *list(prefix: string, { after, limit, reverse }: ListOptions = {}): Iterable<readonly [string, unknown]> {
    const options: SyncKvListOptions = { prefix };
    if (after !== undefined) options.startAfter = after;
    if (limit !== undefined) options.limit = limit;
    if (reverse !== undefined) options.reverse = reverse;
    for (const [key, row] of this.#storage.kv.list(options)) yield [key, this.#join(key, row)];
  }

  commit(batch: WriteBatch): undefined {
    try {
      // A single put is atomic. This is the path of a completed step.
      if (batch.puts.size === 1 && batch.deletes.size === 0) this.#write(batch);
      else if (batch.puts.size + batch.deletes.size > 0) this.#storage.transactionSync(() => this.#write(batch));
    } catch (error) {
      this.#rows.forget();
      throw error;
    }
    if (batch.alarm === undefined) return;
    const alarmChange = batch.alarm === null ? this.#storage.deleteAlarm() : this.setAlarm(batch.alarm);
    alarmChange.catch(this.#onAlarmError);
  }

  /** Calls `done` when all earlier commits are durable (S4). */
  sync(done: (error?: unknown) => void): void {
    const durable = this.#storage.sync?.();
    if (durable === undefined) done();
    else durable.then(() => done(), done);
  }

  /** Returns the keys of rows that are stored in parts. */
  splitKeys(): string[] {
    return [...this.#storage.kv.list({ prefix: FIRST_PARTS })].map(([key]) => key.slice(FIRST_PARTS.length));
  }

  /** Returns the moved rows: their keys, and their names in the bucket. */
  movedRows(): [key: string, name: string][] {
    const rows = [...this.#storage.kv.list({ prefix: MOVED_PREFIX })];
    return rows.map(([key, name]) => [key.slice(MOVED_PREFIX.length), name as string]);
  }

  /** Replaces a row that is in the bucket by its name there and `rest`. */
  move(key: string, name: string, rest: unknown): void {
    this.#storage.transactionSync(() => {
      this.#rows.deleteParts(key);
      this.#storage.kv.put(key, { movedTo: name, rest } satisfies MovedRow);
      this.#storage.kv.put(MOVED_PREFIX + key, name);
    });
  }

  #write(batch: WriteBatch): void {
    for (const key of batch.deletes) this.#rows.delete(key);
    for (const [key, row] of batch.puts) this.#rows.put(key, row);
  }

  #join(key: string, row: unknown): unknown {
    if (!isMoved(row)) return this.#rows.join(key, row);
    const text = this.loaded.get(row.movedTo);
    return text === undefined ? row.rest : JSON.parse(text);
  }
}

function isMoved(row: unknown): row is MovedRow {
  return typeof row === "object" && row !== null && "movedTo" in row;
}
