/**
 * The newest epochs of runs whose executions a step handler has started (SEC3, DUR6).
 *
 * Owns: the rule that a start of an earlier execution is refused: it was delayed on its way, or recorded and sent again.
 * This process remembers the runs that it started last. It forgets them with its end.
 */
import { type ExecutionStart, HOST_LIMITS } from "@holdfast/protocol";

export class RunEpochs {
  /** By run, the least recently started first. */
  readonly #newest = new Map<string, number>();

  /** Stores the epoch of a start. Returns false if an execution with a higher epoch was started before. */
  accept(start: ExecutionStart): boolean {
    const run = runOf(start);
    const newest = this.#newest.get(run) ?? start.epoch;
    if (newest > start.epoch) return false;
    this.#newest.delete(run);
    this.#newest.set(run, start.epoch);
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > HOST_LIMITS.handlerEpochs && oldest !== undefined) this.#newest.delete(oldest);
    return true;
  }
}

/** Runs of two deployments may have the same id, but not the same seed. A resumed run has its parent's seed. */
export function runOf({ seed, run }: ExecutionStart): string {
  return `${seed} ${run.tenantId ?? ""} ${run.id}`;
}
