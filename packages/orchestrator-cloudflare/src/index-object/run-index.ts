/**
 * The index of runs, which lists and filters them.
 *
 * Owns: the port. Each run sends its state until the index acknowledges it, so the index is eventually complete. No
 * decision of a run depends on the index. `durableObjectIndex` is the default; a deployment can implement the port with
 * its own database.
 */
import type { IndexRow, IndexedAsk } from "@holdfast/orchestrator";
import type { IndexCounts } from "./run-counts.ts";

export interface RunFilter {
  readonly workflowId?: string | undefined;
  readonly status?: string | undefined;
  /** Runs that have all of these tags. */
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
  /** The page starts after this position. */
  readonly after?: Position | undefined;
}

/** A position in the order of creation. The order never changes, so pages do not overlap when runs are added or removed. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** A page may have fewer runs than `limit` although more exist: read on until `next` is `undefined`. */
export interface RunPage {
  readonly runs: readonly IndexRow[];
  readonly next: Position | undefined;
}

export interface ApprovalQuery {
  /** Asks that name this assignee. */
  readonly assignee?: string | undefined;
  /** Asks with a deadline before this time, ms. */
  readonly before?: number | undefined;
  /** The time, ms since the epoch: asks whose deadline is over are left out. */
  readonly now: number;
  readonly limit: number;
  /** The page starts after this position. */
  readonly after?: AskPosition | undefined;
}

/** A position in the order of the deadlines: the earliest first, those without one last, the oldest first among equals. */
export interface AskPosition {
  /** The deadline; `NO_DEADLINE`: none. */
  readonly until: number;
  readonly openedAt: number;
  readonly runId: string;
  readonly op: string;
}

/** Later than every time of a `Date`. */
export const NO_DEADLINE = 9_000_000_000_000_000;

export function positionOf({ until = NO_DEADLINE, openedAt, runId, op }: ListedAsk): AskPosition {
  return { until, openedAt, runId, op };
}

/** A page may have fewer asks than `limit` although more exist: read on until `next` is `undefined`. */
export interface ApprovalPage {
  readonly asks: readonly ListedAsk[];
  readonly next: AskPosition | undefined;
}

/** An ask with the id that answers it: who sees that id is decided where the list is shown. */
export interface ListedAsk extends IndexedAsk {
  readonly runId: string;
  readonly workflowId: string;
}

export interface RunIndex {
  /** Stores a row, unless a newer version of it is stored. Rejects if the row cannot be stored. */
  upsert(row: IndexRow): Promise<void>;
  /** Removes a run. An update of the run that arrives later must not insert it again. */
  remove(run: {
    readonly tenantId?: string | undefined;
    readonly id: string;
    readonly createdAt: number;
  }): Promise<void>;
  query(tenantId: string | undefined, query: RunQuery): Promise<RunPage>;
  /**
   * Lists the open asks of a tenant's runs: those in `asks` of the newest row of each run (ASK6). Absent: the list of approvals
   * answers `501`.
   */
  approvals?(tenantId: string | undefined, query: ApprovalQuery): Promise<ApprovalPage>;
  /**
   * Returns the numbers of one tenant's runs, or of all runs, for `/metrics` (OBS3). It writes nothing. Absent: `/metrics`
   * answers `501`.
   */
  counts?(of: { readonly tenantId?: string | undefined } | "all"): Promise<IndexCounts>;
  /**
   * Returns the secret key of public URLs, the same for all tenants; `undefined`: it has none yet. With `make` it makes one.
   * Absent: without `URL_KEYS` the deployment has no public tokens.
   */
  urlKey?(make: boolean): Promise<string | undefined>;
}
