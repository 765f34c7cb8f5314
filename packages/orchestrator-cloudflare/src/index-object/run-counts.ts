/**
 * The numbers of runs that `/metrics` shows (OBS3).
 *
 * Owns: their type, the bound on the number of workflows, and the sums over shards. The numbers are counted when they are
 * read, and kept in memory: nothing is written for them.
 */
import { HOST_LIMITS } from "@holdfast/protocol";

/** The runs of a workflow by status. Not an object by workflow: an id may be `__proto__`. */
export type RunCount = readonly [workflowId: string, runs: Readonly<Record<string, number>>];

/** The numbers of one shard. */
export interface RunCounts {
  readonly runs: readonly RunCount[];
  /** By status of `OLDEST_OF`: when the oldest run was created, ms since the epoch. */
  readonly oldest: Readonly<Record<string, number>>;
  /** How long the slowest update of the last minute was pending before it arrived, ms. */
  readonly lagMs: number;
}

/** The numbers of all shards that were read. */
export interface IndexCounts extends RunCounts {
  /** Shards that did not answer, or were too many to read. Their runs are missing in the numbers. */
  readonly unread: number;
}

/** The statuses in which a run should not stay for long. */
export const OLDEST_OF = ["pending", "running", "paused"] as const;

/** The workflow to which the runs of the rarer workflows are added. */
const OTHER = "other";

/** Adds up the counts of each workflow and status. Only the workflows with the most runs are named. */
export function fewWorkflows(
  counts: Iterable<RunCount>,
  workflowsMax: number = HOST_LIMITS.metricsWorkflows,
): RunCount[] {
  const workflows = new Map<string, Record<string, number>>();
  const add = (workflowId: string, runs: RunCount[1]): void => {
    const known = workflows.get(workflowId) ?? {};
    for (const [status, more] of Object.entries(runs)) known[status] = (known[status] ?? 0) + more;
    workflows.set(workflowId, known);
  };
  const combineRarest = (): void => {
    const named = [...workflows].filter(([workflowId]) => workflowId !== OTHER);
    const sorted = named.toSorted(([a, x], [b, y]) => sum(y) - sum(x) || (a < b ? -1 : 1));
    for (const [workflowId, runs] of sorted.slice(workflowsMax)) {
      workflows.delete(workflowId);
      add(OTHER, runs);
    }
  };
  for (const [workflowId, runs] of counts) {
    // Not at each workflow: a sort costs more.
    if (workflows.size > 2 * workflowsMax && !workflows.has(workflowId)) combineRarest();
    add(workflowId, runs);
  }
  combineRarest();
  return [...workflows];
}

function sum(runs: RunCount[1]): number {
  return Object.values(runs).reduce((a, b) => a + b, 0);
}

/** Adds up the numbers of shards. */
export function sumOf(shards: readonly RunCounts[]): RunCounts {
  const oldest: Record<string, number> = {};
  for (const shard of shards) {
    for (const [status, at] of Object.entries(shard.oldest)) oldest[status] = Math.min(oldest[status] ?? at, at);
  }
  return {
    runs: fewWorkflows(shards.flatMap(({ runs }) => runs)),
    oldest,
    lagMs: Math.max(0, ...shards.map(({ lagMs }) => lagMs)),
  };
}

const WINDOW_MS = 60_000;

/** The longest lag of the last one to two minutes. */
export class LagWindow {
  #start = 0;
  #before = 0;
  #now = 0;

  add(lagMs: number, now: number): void {
    this.#turn(now);
    this.#now = Math.max(this.#now, lagMs);
  }

  longest(now: number): number {
    this.#turn(now);
    return Math.max(this.#before, this.#now);
  }

  #turn(now: number): void {
    const passed = now - this.#start;
    // The clock may have been set back.
    if (passed >= 0 && passed < WINDOW_MS) return;
    this.#before = passed < 2 * WINDOW_MS ? this.#now : 0;
    this.#now = 0;
    this.#start = now;
  }
}
