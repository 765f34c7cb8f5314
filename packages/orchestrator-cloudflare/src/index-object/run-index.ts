/**
 * The index of runs: what lists them.
 *
 * Owns: the port. Runs tell it how they stand, until it has acknowledged; it is complete in the end and never decides
 * anything. The default keeps it in Durable Objects (`durableObjectIndex`); a database of your own is another.
 */
import type { IndexRow } from "@holdfast/orchestrator";

export interface RunFilter {
  readonly workflowId?: string | undefined;
  readonly status?: string | undefined;
  /** Runs that have all of them. */
  readonly tags?: readonly string[] | undefined;
  /** Runs that were created at this time or later, ms. */
  readonly createdAfter?: number | undefined;
  /** Runs that were created before this time, ms. */
  readonly createdBefore?: number | undefined;
  readonly parentRunId?: string | undefined;
}

export interface RunQuery extends RunFilter {
  readonly order: "asc" | "desc";
  readonly limit: number;
  /** Behind which run to go on. */
  readonly after?: Position | undefined;
}

/** A place in the order of creation, which never changes: pages stay apart while runs come, go and change. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** A page may hold fewer than `limit` although there are more: go on while there is a `next`. */
export interface RunPage {
  readonly runs: readonly IndexRow[];
  readonly next: Position | undefined;
}

export interface RunIndex {
  /** Takes a row, unless it has a newer version of it. Rejects if it is not stored. */
  upsert(row: IndexRow): Promise<void>;
  /** Forgets a run, also if what it told is still under way. */
  remove(run: {
    readonly tenantId?: string | undefined;
    readonly id: string;
    readonly createdAt: number;
  }): Promise<void>;
  query(tenantId: string | undefined, query: RunQuery): Promise<RunPage>;
}
