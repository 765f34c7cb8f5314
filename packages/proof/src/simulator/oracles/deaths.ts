/**
 * Oracle on processes that die in bodies: after as many deaths without progress as the limit allows, the run is paused (DUR7).
 *
 * Owns: the number of deaths of each run since its last outcome.
 */
import { DEFAULT_LIMITS, isOutcome } from "@holdfast/protocol";
import type { Commit, Watcher } from "./watcher.ts";

export class Deaths implements Watcher {
  readonly findings: string[] = [];
  readonly #deaths = new Map<string, number>();

  died(runId: string): void {
    const deaths = (this.#deaths.get(runId) ?? 0) + 1;
    this.#deaths.set(runId, deaths);
    if (deaths === DEFAULT_LIMITS.executorCrashes + 1)
      this.findings.push(`${runId}: its process died ${deaths} times without an outcome, and the run is not paused`);
  }

  committed(runId: string, { before, after, entries }: Commit): void {
    const stops = after?.status !== before?.status && (after?.status === "paused" || after?.status === "waiting");
    if (stops || entries.some((entry) => isOutcome(entry))) this.#deaths.delete(runId);
  }
}
