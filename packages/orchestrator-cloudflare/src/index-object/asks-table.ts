/**
 * The open asks of the runs of a shard: a table beside that of the runs (ASK6).
 *
 * Owns: its schema, its order, and the bound on the rows that a page reads.
 *
 * Invariants
 * - AT1 An ask is listed only with the version of its run's row with which it was written. So a row that earlier code writes,
 *   which has no asks, removes them from the list.
 * - AT2 A run without asks writes nothing here.
 */
import type { IndexRow, IndexedAsk } from "@holdfast/orchestrator";
import type { SqlStorageLike } from "../platform-types.ts";
import {
  type ApprovalPage,
  type ApprovalQuery,
  type AskPosition,
  type ListedAsk,
  NO_DEADLINE,
  positionOf,
} from "./run-index.ts";
import { compareText } from "./text-order.ts";

/** The maximum number of rows that one page reads. */
const SCAN_ROWS_MAX = 1_000;

export const ASKS_SCHEMA = [
  `CREATE TABLE IF NOT EXISTS asks (until INTEGER NOT NULL, opened_at INTEGER NOT NULL, run_id TEXT NOT NULL, op TEXT NOT NULL,
    created_at INTEGER NOT NULL, version INTEGER NOT NULL, ask TEXT NOT NULL,
    PRIMARY KEY (until, opened_at, run_id, op)) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS asks_by_run ON asks (run_id)",
];

/** One page of the asks of a shard. */
export interface AsksPage {
  readonly asks: readonly ListedAsk[];
  /** The position at which the read stopped, if it stopped before the end. */
  readonly stoppedAt: AskPosition | undefined;
}

/** Replaces the asks of a run by those of its newest row. */
export function writeAsks(sql: SqlStorageLike, { id, createdAt, version, asks = [] }: IndexRow): void {
  removeAsks(sql, id);
  for (const ask of asks) {
    const { until = NO_DEADLINE, openedAt, op } = ask;
    const row = [until, openedAt, id, op, createdAt, version, JSON.stringify(ask)];
    sql.exec("INSERT OR REPLACE INTO asks VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
  }
}

export function removeAsks(sql: SqlStorageLike, runId: string): void {
  sql.exec("DELETE FROM asks WHERE run_id = ?", runId);
}

export function queryAsks(sql: SqlStorageLike, query: ApprovalQuery): AsksPage {
  const { assignee, limit } = query;
  const asks: ListedAsk[] = [];
  let read = 0;
  let last: AskPosition | undefined;
  for (const found of select(sql, query)) {
    if (asks.length === limit || read === SCAN_ROWS_MAX) return { asks, stoppedAt: last };
    read += 1;
    const ask = JSON.parse(found["ask"] as string) as IndexedAsk;
    const listed = { ...ask, runId: found["run_id"] as string, workflowId: found["workflow_id"] as string };
    last = positionOf(listed);
    if (assignee === undefined || ask.assignees.includes(assignee)) asks.push(listed);
  }
  return { asks, stoppedAt: undefined };
}

function select(sql: SqlStorageLike, { before, now, after }: ApprovalQuery): Iterable<Record<string, unknown>> {
  const { until, openedAt, runId, op }: AskPosition = after ?? { until: now, openedAt: NO_DEADLINE, runId: "", op: "" };
  return sql.exec(
    `SELECT asks.ask, asks.run_id, runs.workflow_id FROM asks JOIN runs
     ON runs.id = asks.run_id AND runs.created_at = asks.created_at AND runs.version = asks.version
     WHERE asks.until > ? AND asks.until < ? AND (asks.until, asks.opened_at, asks.run_id, asks.op) > (?, ?, ?, ?)
     ORDER BY asks.until, asks.opened_at, asks.run_id, asks.op LIMIT ?`,
    now,
    before ?? NO_DEADLINE + 1,
    until,
    openedAt,
    runId,
    op,
    SCAN_ROWS_MAX + 1,
  );
}

function compareAsks(a: AskPosition, b: AskPosition): number {
  const order = a.until - b.until || a.openedAt - b.openedAt;
  return order || compareText(a.runId, b.runId) || compareText(a.op, b.op);
}

/**
 * Merges the pages of shards. If a shard stopped early, the page ends at that position: the shard may have further asks before
 * the later ones of other shards.
 */
export function mergeAsks(pages: readonly AsksPage[], limit: number): ApprovalPage {
  const [edge] = pages.flatMap(({ stoppedAt }) => stoppedAt ?? []).toSorted(compareAsks);
  const all = pages.flatMap(({ asks }) => asks).toSorted((a, b) => compareAsks(positionOf(a), positionOf(b)));
  const shown = all.filter((ask) => edge === undefined || compareAsks(positionOf(ask), edge) <= 0).slice(0, limit);
  const last = shown.at(-1);
  if (shown.length === limit && shown.length < all.length && last !== undefined)
    return { asks: shown, next: positionOf(last) };
  return { asks: shown, next: edge };
}
