/**
 * What the outside of a simulated world sees, and what must hold of it while it runs.
 *
 * Owns: the oracles "each execution sees what the ones before it saw" (REP2) and "no body starts again once its outcome
 * is stored" (DUR3).
 */
import type { JournalEntry } from "@holdfast/protocol";
import type { WriteBatch } from "@holdfast/orchestrator";
import type { Observer } from "./interpreter.ts";

interface RunView {
  /** What each execution saw, oldest execution first. */
  readonly logs: string[][];
  /** Operations whose outcome is stored. */
  readonly ended: Set<string>;
  /** How often a body of each operation started. */
  readonly started: Map<string, number>;
}

export class Observations implements Observer {
  readonly violations: string[] = [];
  readonly #views = new Map<string, RunView>();

  begin(runId: string): ReturnType<Observer["begin"]> {
    const { logs } = this.view(runId);
    const log: string[] = [];
    logs.push(log);
    // An execution that was given up goes on in memory for a while; what it sees then nobody ever sees.
    return (seen) => {
      if (logs.at(-1) === log && !this.#frozen.has(log)) this.#note(runId, log, seen);
    };
  }

  readonly #frozen = new WeakSet<string[]>();

  /** The process that executed the run is dead, or given up. */
  freeze(runId: string): void {
    const log = this.view(runId).logs.at(-1);
    if (log !== undefined) this.#frozen.add(log);
  }

  isFrozen(runId: string): boolean {
    const log = this.view(runId).logs.at(-1);
    return log === undefined || this.#frozen.has(log);
  }

  #note(runId: string, log: string[], seen: string): void {
    const { logs } = this.view(runId);
    for (const earlier of logs) {
      const before = earlier[log.length];
      if (earlier === log || before === undefined || before === seen) continue;
      this.violations.push(
        `replay order: ${runId} saw ${JSON.stringify(before)} at ${log.length}, then ${JSON.stringify(seen)}`,
      );
    }
    log.push(seen);
  }

  bodyStarts(runId: string, op: string): void {
    const { ended, started } = this.view(runId);
    if (this.isFrozen(runId)) return;
    started.set(op, (started.get(op) ?? 0) + 1);
    if (ended.has(op))
      this.violations.push(`effects: a body of ${op} of ${runId} started after its outcome was stored`);
  }

  /** A commit of a run. */
  committed(runId: string, batch: WriteBatch): void {
    const { ended } = this.view(runId);
    for (const [key, row] of batch.puts) {
      if (!key.startsWith("journal/")) continue;
      const { type, op } = row as JournalEntry;
      if (type !== "step.completed" && type !== "step.failed") continue;
      if (ended.has(op)) this.violations.push(`journal: ${op} of ${runId} has two outcomes`);
      ended.add(op);
    }
  }

  view(runId: string): RunView {
    let view = this.#views.get(runId);
    if (view === undefined) {
      view = { logs: [], ended: new Set(), started: new Map() };
      this.#views.set(runId, view);
    }
    return view;
  }

  /** Everything that was seen, for comparing two runs of one seed. */
  trace(): string {
    return JSON.stringify([...this.#views].map(([id, { logs, started }]) => [id, logs, [...started]]));
  }
}
