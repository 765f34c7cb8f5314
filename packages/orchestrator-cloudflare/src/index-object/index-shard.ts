/**
 * One shard of the index: a table of runs in the SQL storage of a Durable Object.
 *
 * Owns: the schema, and the bound on the rows that a page reads. One SQL index gives the order, conditions outside that
 * index are checked during the read, and the read stops at a budget.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import { HOST_LIMITS } from "@holdfast/protocol";
import type { SqlStorageLike } from "../platform-types.ts";
import { ASKS_SCHEMA, type AsksPage, queryAsks, removeAsks, writeAsks } from "./asks-table.ts";
import { LagWindow, OLDEST_OF, type RunCount, type RunCounts, fewWorkflows } from "./run-counts.ts";
import type { ApprovalQuery, Position, RunQuery } from "./run-index.ts";

/** The maximum number of rows that one page reads. */
const SCAN_ROWS_MAX = 1_000;

/** The id of a removed run is stored for this time, ms: an update in flight must not insert the run again. */
const REMEMBER_REMOVED_MS = 3_600_000;
/** How often older ids are deleted, ms. */
const FORGET_EVERY_MS = 60_000;

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, version INTEGER NOT NULL,
    workflow_id TEXT NOT NULL, status TEXT NOT NULL, parent_run_id TEXT, row TEXT NOT NULL) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS runs_by_creation ON runs (created_at, id)",
  "CREATE INDEX IF NOT EXISTS runs_by_status ON runs (status, created_at, id)",
  "CREATE INDEX IF NOT EXISTS runs_by_workflow ON runs (workflow_id, created_at, id)",
  "CREATE INDEX IF NOT EXISTS runs_by_workflow_and_status ON runs (workflow_id, status, created_at, id)",
  "CREATE INDEX IF NOT EXISTS runs_by_parent ON runs (parent_run_id, created_at, id) WHERE parent_run_id IS NOT NULL",
  "CREATE TABLE IF NOT EXISTS tags (tag TEXT, created_at INTEGER, id TEXT, PRIMARY KEY (tag, created_at, id)) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY, created_at INTEGER, at INTEGER) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID",
  ...ASKS_SCHEMA,
];

/** What an isolate remembers of a shard. An instance of its object lives for seconds after the last request. */
interface Memory {
  readonly lag: LagWindow;
  /** When ids of removed runs were deleted, ms since the epoch. */
  forgotAt?: number;
  counted?: { readonly at: number; readonly counts: Omit<RunCounts, "lagMs"> };
}

/** By the id of the object, the one that was used last at the end. */
const memories = new Map<string, Memory>();

/** By storage: its tables exist. Checked once per object instance. */
const prepared = new WeakMap<SqlStorageLike, Memory>();

/** The storages of shards that are in the lists. That never changes. */
const listed = new WeakSet<SqlStorageLike>();

function memoryOf(id: string | undefined): Memory {
  const memory = memories.get(id ?? "") ?? { lag: new LagWindow() };
  if (id === undefined) return memory;
  memories.delete(id);
  memories.set(id, memory);
  const [oldest] = memories.keys();
  if (memories.size > HOST_LIMITS.metricsShards && oldest !== undefined) memories.delete(oldest);
  return memory;
}

/** The value of the fact `listed`. A shard with 1 is in the tenant's list, and its tenant is perhaps in no list of tenants. */
const LISTED = 2;

export interface ShardPage {
  readonly runs: readonly IndexRow[];
  /** The position at which the read stopped, if it stopped before the end. */
  readonly stoppedAt: Position | undefined;
}

/** `full`: the shard accepts no new runs. `unlisted`: the row is stored, and the tenant's list lacks this shard. */
export type UpsertResult = "stored" | "full" | "unlisted";

export class IndexShard {
  readonly #sql: SqlStorageLike;
  readonly #rowsMax: number;
  readonly #memory: Memory;

  /** @param id Of the object: what the isolate remembers of it outlives an instance. */
  constructor(sql: SqlStorageLike, rowsMax: number, id?: string) {
    this.#sql = sql;
    this.#rowsMax = rowsMax;
    const known = prepared.get(sql);
    this.#memory = known ?? memoryOf(id);
    if (known !== undefined) return;
    for (const statement of SCHEMA) sql.exec(statement);
    prepared.set(sql, this.#memory);
  }

  upsert({ pendingSince, ...row }: IndexRow, now: number): UpsertResult {
    const [known] = this.#sql.exec("SELECT created_at, version FROM runs WHERE id = ?", row.id);
    if (known === undefined && this.#isRemoved(row, now)) return "stored";
    if (known === undefined && this.#isFull()) return "full";
    const newer =
      known === undefined ||
      row.createdAt > (known["created_at"] as number) ||
      (row.createdAt === known["created_at"] && row.version > (known["version"] as number));
    if (newer) {
      this.#write(row, known?.["created_at"] as number | undefined);
      writeAsks(this.#sql, row);
      this.#memory.lag.add(now - (pendingSince ?? now), now);
    }
    this.#forgetRemoved(now);
    return this.#isListed() ? "stored" : "unlisted";
  }

  #forgetRemoved(now: number): void {
    const { forgotAt = 0 } = this.#memory;
    if (Math.abs(now - forgotAt) < FORGET_EVERY_MS) return;
    this.#memory.forgotAt = now;
    this.#sql.exec("DELETE FROM removed WHERE at < ?", now - REMEMBER_REMOVED_MS);
  }

  #isListed(): boolean {
    if (listed.has(this.#sql)) return true;
    const isListed = this.#fact("listed") === LISTED;
    if (isListed) listed.add(this.#sql);
    return isListed;
  }

  #write({ asks: _asks, ...row }: IndexRow, createdBefore: number | undefined): void {
    const { id, createdAt, version, workflowId, status, parentRunId, tags } = row;
    if (createdBefore === undefined) this.#set("count", (this.#fact("count") ?? 0) + 1);
    this.#sql.exec(
      `INSERT INTO runs (id, created_at, version, workflow_id, status, parent_run_id, row) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, version = excluded.version, status = excluded.status,
       workflow_id = excluded.workflow_id, parent_run_id = excluded.parent_run_id, row = excluded.row`,
      id,
      createdAt,
      version,
      workflowId,
      status,
      parentRunId ?? null,
      JSON.stringify(row),
    );
    // A run's tags never change. A new run with the id of a deleted one may have other tags.
    if (createdBefore === createdAt) return;
    if (createdBefore !== undefined)
      this.#sql.exec("DELETE FROM tags WHERE created_at = ? AND id = ?", createdBefore, id);
    for (const tag of tags) this.#sql.exec("INSERT OR IGNORE INTO tags VALUES (?, ?, ?)", tag, createdAt, id);
  }

  remove(id: string, createdAt: number, now: number): void {
    const [known] = this.#sql.exec("SELECT created_at, row FROM runs WHERE id = ? AND created_at <= ?", id, createdAt);
    this.#sql.exec("INSERT OR REPLACE INTO removed VALUES (?, ?, ?)", id, createdAt, now);
    if (known === undefined) return;
    this.#sql.exec("DELETE FROM runs WHERE id = ?", id);
    removeAsks(this.#sql, id);
    for (const tag of (JSON.parse(known["row"] as string) as IndexRow).tags) {
      this.#sql.exec("DELETE FROM tags WHERE tag = ? AND created_at = ? AND id = ?", tag, known["created_at"], id);
    }
    this.#set("count", (this.#fact("count") ?? 1) - 1);
  }

  /** Records that the tenant's list contains this shard, and that the list of tenants contains the tenant. */
  list(): void {
    this.#set("listed", LISTED);
  }

  /** Counts the runs, at most once in `metricsCacheMs`. It reads two SQL indexes and writes nothing. */
  counts(now: number): RunCounts {
    const { counted, lag } = this.#memory;
    const isFresh = counted !== undefined && Math.abs(now - counted.at) < HOST_LIMITS.metricsCacheMs;
    const { counts } = isFresh ? counted : (this.#memory.counted = { at: now, counts: this.#count() });
    return { ...counts, lagMs: lag.longest(now) };
  }

  #count(): Omit<RunCounts, "lagMs"> {
    const groups = this.#sql.exec(
      `SELECT workflow_id, status, COUNT(*) AS runs FROM runs INDEXED BY runs_by_workflow_and_status
       GROUP BY workflow_id, status`,
    );
    const oldest: Record<string, number> = {};
    for (const status of OLDEST_OF) {
      const [run] = this.#sql.exec(
        "SELECT created_at FROM runs INDEXED BY runs_by_status WHERE status = ? ORDER BY created_at LIMIT 1",
        status,
      );
      if (run !== undefined) oldest[status] = run["created_at"] as number;
    }
    return { runs: fewWorkflows(countsOf(groups)), oldest };
  }

  query(query: RunQuery): ShardPage {
    const { statement, values } = toSql(query);
    const runs: IndexRow[] = [];
    let read = 0;
    let last: Position | undefined;
    for (const found of this.#sql.exec(statement, ...values, SCAN_ROWS_MAX + 1)) {
      if (runs.length === query.limit || read === SCAN_ROWS_MAX) return { runs, stoppedAt: last };
      read += 1;
      const row = JSON.parse(found["row"] as string) as IndexRow;
      last = { createdAt: row.createdAt, id: row.id };
      if (matches(row, query)) runs.push(row);
    }
    return { runs, stoppedAt: undefined };
  }

  asks(query: ApprovalQuery): AsksPage {
    return queryAsks(this.#sql, query);
  }

  /** Whether a row is a late one of a removed run, or of one before it. After the clock was set back, a new run is earlier. */
  #isRemoved({ id, createdAt }: IndexRow, now: number): boolean {
    const [removed] = this.#sql.exec(
      "SELECT 1 FROM removed WHERE id = ? AND (created_at = ? OR (created_at > ? AND at > ? AND at <= ?))",
      id,
      createdAt,
      createdAt,
      createdAt,
      now,
    );
    return removed !== undefined;
  }

  /** A full shard stays full: the search for a run's row visits the shards in the same order each time. */
  #isFull(): boolean {
    if (this.#fact("full") === 1) return true;
    if ((this.#fact("count") ?? 0) < this.#rowsMax) return false;
    this.#set("full", 1);
    return true;
  }

  #fact(name: string): number | undefined {
    const [fact] = this.#sql.exec("SELECT value FROM facts WHERE name = ?", name);
    return fact?.["value"] as number | undefined;
  }

  #set(name: string, value: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  }
}

function* countsOf(groups: Iterable<Record<string, unknown>>): Iterable<RunCount> {
  for (const { workflow_id: workflowId, status, runs } of groups)
    yield [workflowId as string, { [status as string]: runs as number }];
}

/** Returns the query in the order of one SQL index. `matches` checks the conditions outside that index. */
export function toSql(query: RunQuery): { readonly statement: string; readonly values: readonly unknown[] } {
  const { workflowId, status, parentRunId, tags = [], createdAfter, createdBefore, order, after } = query;
  const conditions: [string, unknown][] = [];
  let from = "runs INDEXED BY runs_by_creation";
  if (parentRunId !== undefined) {
    from = "runs INDEXED BY runs_by_parent";
    conditions.push(["runs.parent_run_id = ?", parentRunId]);
  } else if (tags.length > 0) {
    from = "tags JOIN runs ON runs.id = tags.id";
    conditions.push(["tags.tag = ?", tags[0]]);
  } else if (workflowId !== undefined || status !== undefined) {
    from = `runs INDEXED BY runs_by_${[workflowId && "workflow", status && "status"].filter(Boolean).join("_and_")}`;
    if (workflowId !== undefined) conditions.push(["runs.workflow_id = ?", workflowId]);
    if (status !== undefined) conditions.push(["runs.status = ?", status]);
  }
  const table = from.startsWith("tags") ? "tags" : "runs";
  if (createdAfter !== undefined) conditions.push([`${table}.created_at >= ?`, createdAfter]);
  if (createdBefore !== undefined) conditions.push([`${table}.created_at < ?`, createdBefore]);
  const values = conditions.map(([, value]) => value);
  const where = conditions.map(([text]) => text);
  if (after !== undefined) {
    where.push(`(${table}.created_at, ${table}.id) ${order === "asc" ? ">" : "<"} (?, ?)`);
    values.push(after.createdAt, after.id);
  }
  const direction = order === "asc" ? "ASC" : "DESC";
  return {
    statement: `SELECT runs.row AS row FROM ${from} ${where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`}
      ORDER BY ${table}.created_at ${direction}, ${table}.id ${direction} LIMIT ?`,
    values,
  };
}

function matches(row: IndexRow, { workflowId, status, parentRunId, tags = [] }: RunQuery): boolean {
  return (
    (workflowId === undefined || row.workflowId === workflowId) &&
    (status === undefined || row.status === status) &&
    (parentRunId === undefined || row.parentRunId === parentRunId) &&
    tags.every((tag) => row.tags.includes(tag))
  );
}
