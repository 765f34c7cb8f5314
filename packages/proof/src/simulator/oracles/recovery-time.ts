/**
 * Oracle on recovery: after a fault, a run that can continue makes progress within 60 s (DUR9).
 *
 * Owns: the time from the end of the last fault of a run, or from the time for which it waits, to its next progress. The
 * longest of each kind of fault is a figure of the simulation.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import { isTerminal } from "@holdfast/protocol";
import type { Commit, Watcher } from "./watcher.ts";

/** The bound of SPEC.md, ms. */
const PROGRESS_MS_MAX = 60_000;

export class RecoveryTime implements Watcher {
  readonly findings: string[] = [];
  readonly #longest: Map<string, number>;
  readonly #now: () => number;
  readonly #faults = new Map<string, { kind: string; at: number }>();

  /** `longest`: receives the longest time to progress after each kind of fault, ms. */
  constructor(now: () => number, longest: Map<string, number>) {
    this.#now = now;
    this.#longest = longest;
  }

  faultEnded(runId: string, kind: string): void {
    this.#faults.set(runId, { kind, at: this.#now() });
  }

  committed(runId: string, { before, after, entries, now }: Commit): void {
    const fault = this.#faults.get(runId);
    if (fault === undefined || after === undefined) return;
    const continues = before?.status === "paused" || isTerminal(after.status);
    const isProgress = entries.length > 0 || after.status !== before?.status || after.epoch !== before.epoch;
    if (!isProgress) return;
    this.#faults.delete(runId);
    if (before === undefined || continues) return;
    const ms = now - Math.max(fault.at, dueAt(before, now));
    this.#longest.set(fault.kind, Math.max(this.#longest.get(fault.kind) ?? 0, ms));
    if (ms > PROGRESS_MS_MAX)
      this.findings.push(`${runId}: made no progress for ${ms} ms after the fault ${fault.kind}`);
  }
}

/** The time at which the run can continue by itself: its next timer, or now if it waits for others. */
function dueAt({ status, waits, retryAt, startAt, deadlineAt }: RunHeader, now: number): number {
  if (status === "running") return 0;
  const times = [...waits.map(({ wakeAt }) => wakeAt), retryAt, startAt, deadlineAt];
  return Math.min(...times.filter((at) => at !== undefined), now);
}
