/**
 * What the outside of a simulated world sees, and what must hold of it while it runs.
 *
 * Owns: the oracles "each execution sees what the ones before it saw" (REP2) and "no body starts again once its outcome
 * is stored" (DUR3).
 */
import { type JournalEntry, isTerminal } from "@holdfast/protocol";
import type { RunHeader, WriteBatch } from "@holdfast/orchestrator";
import type { Observer } from "./interpreter.ts";
import type { Finding } from "./oracles.ts";

interface RunView {
  /** What each execution saw, oldest execution first. */
  readonly logs: Log[];
  /** Operations whose outcome is stored. */
  readonly ended: Set<string>;
  /** How often a body of each operation started. */
  readonly started: Map<string, number>;
}

interface Log {
  readonly seen: string[];
  /** How much had been seen when a step was asked for. */
  readonly askedAt: Map<string, number>;
  /** So much led to something that is stored: it can only be seen again. */
  bound: number;
  givenUp: boolean;
}

export class Observations implements Observer {
  readonly findings: Finding[] = [];
  readonly changed: Set<string> = new Set();
  readonly #views = new Map<string, RunView>();

  begin(runId: string): ReturnType<Observer["begin"]> {
    const { logs, started, ended } = this.view(runId);
    const log: Log = { seen: [], askedAt: new Map(), bound: 0, givenUp: false };
    logs.push(log);
    // An execution that was given up goes on in memory for a while; what it sees then nobody ever sees.
    const isGivenUp = (): boolean => logs.at(-1) !== log || log.givenUp;
    return {
      asks: (op) => log.askedAt.set(op, log.seen.length),
      see: (seen) => {
        if (!isGivenUp()) this.#note(runId, log, seen);
      },
      bodyStarts: (op) => {
        started.set(op, (started.get(op) ?? 0) + 1);
        if (ended.has(op) && !isGivenUp())
          this.#find("effects", `a body of ${op} of ${runId} started after its outcome was stored`);
      },
    };
  }

  /** The process that executed the run is dead, or given up. */
  freeze(runId: string): void {
    const log = this.view(runId).logs.at(-1);
    if (log !== undefined) log.givenUp = true;
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

  /** A commit of a run. */
  committed(runId: string, batch: WriteBatch): void {
    const { ended, logs } = this.view(runId);
    const current = logs.at(-1);
    const record = batch.puts.get("record") as RunHeader | undefined;
    for (const [key, row] of batch.puts) {
      if (!key.startsWith("journal/")) continue;
      const { type, op } = row as JournalEntry;
      if (current !== undefined) current.bound = Math.max(current.bound, current.askedAt.get(op) ?? 0);
      if (type !== "step.completed" && type !== "step.failed") continue;
      if (ended.has(op)) this.#find("journal", `${op} of ${runId} has two outcomes`);
      ended.add(op);
    }
    if (record === undefined || current === undefined || !isTerminal(record.status)) return;
    if (record.status === "completed") current.bound = current.seen.length;
    // Code may tidy up; what it sees is its own affair.
    current.givenUp = true;
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

  /** Everything that was seen, for comparing two runs of one seed. */
  trace(): string {
    return JSON.stringify([...this.#views].map(([id, { logs, started }]) => [id, logs, [...started]]));
  }
}
