/**
 * Oracle on time budgets: a budget counts from the start of the run, and pauses do not count (RUN6, CAN6).
 *
 * Owns: the pauses of each run, which it computes from the clock.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import type { Commit, Watcher } from "./watcher.ts";

interface Pauses {
  readonly startedAt: number;
  pausedAt: number | undefined;
  pausedMs: number;
}

export class Budget implements Watcher {
  readonly findings: string[] = [];
  readonly #runs = new Map<string, Pauses>();

  #clockSetBack = false;

  /** Budgets that count then are set again, so their ends do not follow from their starts. */
  clockSetBack(): void {
    this.#clockSetBack = true;
  }

  committed(runId: string, { now, before, after, entries }: Commit): void {
    if (this.#clockSetBack || after?.timeoutMs === undefined || after.startedAt === undefined) return;
    const run = this.#runs.get(runId) ?? { startedAt: now, pausedAt: undefined, pausedMs: 0 };
    this.#runs.set(runId, run);
    const deadline = run.startedAt + after.timeoutMs + run.pausedMs;
    const expires =
      (after.error?.code === "WORKFLOW_TIMEOUT" && before?.error?.code !== "WORKFLOW_TIMEOUT") ||
      entries.some((entry) => entry.type === "run.unwinding" && entry.cause === "timeout");
    if (expires && now < deadline) this.findings.push(`${runId}: its time budget ended ${deadline - now} ms early`);
    this.#pause(run, now, before, after);
    const counts = after.status === "running" || after.status === "waiting";
    const expected = run.startedAt + after.timeoutMs + run.pausedMs;
    if (counts && after.deadlineAt !== undefined && after.deadlineAt !== expected)
      this.findings.push(`${runId}: its time budget ends ${after.deadlineAt - expected} ms after its time`);
  }

  #pause(run: Pauses, now: number, before: RunHeader | undefined, after: RunHeader): void {
    if (after.status === "paused") run.pausedAt ??= now;
    else if (before?.status === "paused" && run.pausedAt !== undefined) {
      run.pausedMs += now - run.pausedAt;
      run.pausedAt = undefined;
    }
  }
}
