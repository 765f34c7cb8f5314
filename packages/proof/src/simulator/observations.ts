/**
 * The observations of a simulated world, and the oracles that check them during the simulation.
 *
 * Owns: the oracles "each execution receives the values that earlier executions received, in the same order" (REP2) and
 * "no body starts after its outcome is stored" (DUR3).
 */
import { type JournalEntry, isTerminal } from "@holdfast/protocol";
import type { RunHeader, WriteBatch } from "@holdfast/orchestrator";
import type { Observer } from "./interpreter.ts";
import type { Finding } from "./oracles/finding.ts";

interface RunView {
  /** The values that each execution received, oldest execution first. */
  readonly logs: Log[];
  /** Operations whose outcome is stored. */
  readonly ended: Set<string>;
  /** The number of body starts per operation. */
  readonly started: Map<string, number>;
}

interface Log {
  readonly seen: string[];
  /** The number of values that the function had received when it requested each step. */
  readonly requestedAt: Map<string, number>;
  /** The number of values that led to a stored entry. Later executions must receive the same values. */
  bound: number;
  abandoned: boolean;
}

export class Observations implements Observer {
  readonly findings: Finding[] = [];
  readonly changed: Set<string> = new Set();
  readonly #views = new Map<string, RunView>();

  begin(runId: string): ReturnType<Observer["begin"]> {
    const { logs, started, ended } = this.view(runId);
    const log: Log = { seen: [], requestedAt: new Map(), bound: 0, abandoned: false };
    logs.push(log);
    // An abandoned execution continues in memory for a while. What it receives then has no effect.
    const isAbandoned = (): boolean => logs.at(-1) !== log || log.abandoned;
    return {
      requests: (op) => log.requestedAt.set(op, log.seen.length),
      see: (seen) => {
        if (!isAbandoned()) this.#note(runId, log, seen);
      },
      bodyStarts: (op) => {
        started.set(op, (started.get(op) ?? 0) + 1);
        if (ended.has(op) && !isAbandoned())
          this.#find("effects", `a body of ${op} of ${runId} started after its outcome was stored`);
      },
    };
  }

  /** The process that executed the run is dead, or its execution is abandoned. */
  freeze(runId: string): void {
    const log = this.view(runId).logs.at(-1);
    if (log !== undefined) log.abandoned = true;
  }

  #note(runId: string, log: Log, seen: string): void {
    const place = log.seen.length;
    for (const earlier of this.view(runId).logs) {
      const before = earlier.seen[place];
      if (earlier === log || place >= earlier.bound || before === seen) continue;
      this.#find("replay order", `${runId} saw ${JSON.stringify(before)} at ${place}, then ${JSON.stringify(seen)}`);
    }
    log.seen.push(seen);
  }

  /** Records a commit of a run. */
  committed(runId: string, batch: WriteBatch): void {
    const { ended, logs } = this.view(runId);
    const current = logs.at(-1);
    const record = batch.puts.get("record") as RunHeader | undefined;
    for (const [key, row] of batch.puts) {
      if (!key.startsWith("journal/")) continue;
      const { type, op } = row as JournalEntry;
      if (current !== undefined) current.bound = Math.max(current.bound, current.requestedAt.get(op) ?? 0);
      if (type !== "step.completed" && type !== "step.failed") continue;
      if (ended.has(op)) this.#find("journal", `${op} of ${runId} has two outcomes`);
      ended.add(op);
    }
    if (record === undefined || current === undefined || !isTerminal(record.status)) return;
    if (record.status === "completed") current.bound = current.seen.length;
    // Code may clean up after the end. The values that it receives then are not checked.
    current.abandoned = true;
  }

  view(runId: string): RunView {
    let view = this.#views.get(runId);
    if (view === undefined) {
      view = { logs: [], ended: new Set(), started: new Map() };
      this.#views.set(runId, view);
    }
    return view;
  }

  #find(oracle: Finding["oracle"], text: string): void {
    this.findings.push({ oracle, text });
  }

  /** Returns all observations as text, to compare two simulations of one seed. */
  trace(): string {
    return JSON.stringify([...this.#views].map(([id, { logs, started }]) => [id, logs, [...started]]));
  }
}
