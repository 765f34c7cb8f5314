/**
 * Oracle on the starts of bodies: each attempt starts once, and once more for each loss of the execution that explains it.
 * A `once` body starts at most once (DUR3), and no body starts during a pause (CAN4).
 *
 * Owns: the bodies that started and whose attempt is not in the journal.
 */
import type { Commit, Requested, Watcher } from "./watcher.ts";

interface Bodies {
  /** Operations with a body in progress, by the execution that started it. */
  readonly open: Map<number, Set<string>>;
  /** Executions that were lost. Their bodies may start again. */
  readonly lost: Set<number>;
  readonly started: Map<string, number>;
  readonly once: Set<string>;
  /** When an operator paused the run. */
  pausedAt: number | undefined;
}

export class BodyStarts implements Watcher {
  readonly findings: string[] = [];
  readonly #runs = new Map<string, Bodies>();
  readonly #now: () => number;
  readonly #lateMs: () => number;

  /** `lateMs`: the delay of a late message on the pipe. A body may start until the pause has arrived. */
  constructor(now: () => number, lateMs: () => number) {
    this.#now = now;
    this.#lateMs = lateMs;
  }

  requested(runId: string, op: string, what: Requested): void {
    if (what.kind === "step" && what.once) this.#of(runId).once.add(op);
  }

  bodyStarts(runId: string, op: string, execution: number, abandoned: boolean): void {
    const { open, lost, started, once, pausedAt } = this.#of(runId);
    const times = (started.get(op) ?? 0) + 1;
    started.set(op, times);
    if (times > 1 && once.has(op)) this.findings.push(`${runId}: the body of ${op} started ${times} times, not once`);
    if (abandoned) lost.add(execution);
    else if (pausedAt !== undefined && pausedAt + this.#lateMs() < this.#now())
      this.findings.push(`${runId}: the body of ${op} started during a pause`);
    const own = open.get(execution) ?? new Set();
    open.set(execution, own);
    const elsewhere = !abandoned && [...open].some(([other, ops]) => !lost.has(other) && ops.has(op));
    if (own.has(op) || elsewhere)
      this.findings.push(`${runId}: the body of ${op} started again, although no execution was lost`);
    own.add(op);
  }

  committed(runId: string, { entries, after, now }: Commit): void {
    const run = this.#of(runId);
    if (after?.paused?.by !== "operator") run.pausedAt = undefined;
    else run.pausedAt ??= now;
    for (const { type, op } of entries) {
      if (type !== "step.completed" && type !== "step.failed" && type !== "step.retrying") continue;
      for (const ops of run.open.values()) ops.delete(op);
    }
  }

  lost(runId: string): void {
    const run = this.#runs.get(runId);
    for (const [execution, ops] of run?.open ?? []) {
      run?.lost.add(execution);
      // The first turn is repeated to the next process: one more start of each body that was lost.
      ops.clear();
    }
  }

  #of(runId: string): Bodies {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = { open: new Map(), lost: new Set(), started: new Map(), once: new Set(), pausedAt: undefined };
      this.#runs.set(runId, run);
    }
    return run;
  }
}
