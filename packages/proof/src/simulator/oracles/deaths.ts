/**
 * Oracle on processes that die in bodies: after more than the limit of deaths without progress the run is paused (DUR7).
 *
 * Owns: the number of deaths of each run since its last entry.
 */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import type { Commit, Watcher } from "./watcher.ts";

export class Deaths implements Watcher {
  readonly findings: string[] = [];
  readonly #deaths = new Map<string, number>();

  /** The process of a run died in a body. */
  died(runId: string): void {
    const deaths = (this.#deaths.get(runId) ?? 0) + 1;
    this.#deaths.set(runId, deaths);
    // The last of the executions that the limit allows dies, too.
    if (deaths === DEFAULT_LIMITS.executorCrashes + 2)
      this.findings.push(`${runId}: its process died ${deaths} times without an entry, and the run is not paused`);
  }

  committed(runId: string, { before, after, entries }: Commit): void {
    const paused = after?.status === "paused" && before?.status !== "paused";
    if (paused || entries.length > 0) this.#deaths.delete(runId);
  }
}
