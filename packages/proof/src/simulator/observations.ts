/**
 * The observations of a simulated world, and the oracles that check them during the simulation.
 *
 * Owns: the list of watchers, and the oracles "each execution receives the values that earlier executions received, in the same order" (REP2) and
 * "no body starts after its outcome is stored" (DUR3).
 */
import { type JournalEntry, isTerminal } from "@holdfast/protocol";
import { type RunHeader, type WaitRow, type WriteBatch, applyWaitRows, headerAfter } from "@holdfast/orchestrator";
import type { ExecutionObserver, Observer } from "./observer.ts";
import { BodyStarts } from "./oracles/body-starts.ts";
import { Budget } from "./oracles/budget.ts";
import { Creations } from "./oracles/children.ts";
import { Compensable } from "./oracles/compensable.ts";
import { Deaths } from "./oracles/deaths.ts";
import { Races } from "./oracles/races.ts";
import { RecoveryTime } from "./oracles/recovery-time.ts";
import { Timers } from "./oracles/timers.ts";
import type { Commit, Watcher } from "./oracles/watcher.ts";
import type { Finding } from "./oracles/finding.ts";

interface RunView {
  /** The values that each execution received, oldest execution first. */
  readonly logs: Log[];
  /** Operations whose outcome is stored. */
  readonly ended: Set<string>;
  /** The number of body starts per operation. */
  readonly started: Map<string, number>;
  header: RunHeader | undefined;
  /** The open waits with rows of their own. */
  readonly waitRows: Map<string, WaitRow>;
  /** All executions up to this epoch are lost. */
  lostEpoch: number;
}

interface Log {
  readonly epoch: number;
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
  readonly recovery: RecoveryTime = new RecoveryTime();
  readonly #deaths = new Deaths();
  /** The number of deaths in each body. */
  readonly #died = new Map<string, number>();
  readonly #kill: (runId: string) => void;
  readonly handlesRejections: boolean;
  readonly #views = new Map<string, RunView>();
  readonly #now: () => number;
  readonly #watchers: readonly (readonly [Finding["oracle"], Watcher])[];

  constructor(options: {
    readonly now: () => number;
    readonly handlesRejections: boolean;
    /** Ends the process of a run. */
    readonly kill: (runId: string) => void;
  }) {
    const { now } = options;
    this.#now = now;
    this.#kill = options.kill;
    this.handlesRejections = options.handlesRejections;
    this.#watchers = [
      ["body starts", new BodyStarts(now)],
      ["times", new Timers(now)],
      ["budget", new Budget()],
      ["children", new Creations()],
      ["compensation", new Compensable()],
      ["deaths", this.#deaths],
      ["races", new Races()],
      ["progress", this.recovery],
    ];
  }

  begin(runId: string, epoch: number): ExecutionObserver {
    const view = this.view(runId);
    const { logs, started, ended } = view;
    // The function of an execution may begin after its process has died.
    const log: Log = { epoch, seen: [], requestedAt: new Map(), bound: 0, abandoned: epoch <= view.lostEpoch };
    logs.push(log);
    logs.sort((a, b) => a.epoch - b.epoch);
    // An abandoned execution continues in memory for a while. What it receives then has no effect.
    const isAbandoned = (): boolean => logs.at(-1) !== log || log.abandoned;
    return {
      requests: (op, what) => {
        log.requestedAt.set(op, log.seen.length);
        if (what !== undefined) for (const [, watcher] of this.#watchers) watcher.requested?.(runId, op, what);
      },
      dies: (op, deaths) => !isAbandoned() && this.#dies(runId, op, deaths),
      see: (seen) => {
        if (!isAbandoned()) this.#note(runId, log, seen);
      },
      bodyStarts: (op) => {
        started.set(op, (started.get(op) ?? 0) + 1);
        for (const [, watcher] of this.#watchers) watcher.bodyStarts?.(runId, op, epoch, isAbandoned());
        if (ended.has(op) && !isAbandoned())
          this.#find("effects", `a body of ${op} of ${runId} started after its outcome was stored`);
      },
    };
  }

  /** Ends the process in a body, unless it has died there often enough. */
  #dies(runId: string, op: string, deaths: number): boolean {
    const died = this.#died.get(`${runId} ${op}`) ?? 0;
    if (died >= deaths) return false;
    this.#died.set(`${runId} ${op}`, died + 1);
    this.#deaths.died(runId);
    this.#kill(runId);
    return true;
  }

  /** The process that executed the run is dead, or its execution is abandoned. */
  freeze(runId: string): void {
    const view = this.view(runId);
    view.lostEpoch = view.header?.epoch ?? 0;
    for (const log of view.logs) log.abandoned = true;
    for (const [, watcher] of this.#watchers) watcher.lost?.(runId);
  }

  /** Something happened to the world that may delay its runs. */
  disturbed(): void {
    for (const [, watcher] of this.#watchers) watcher.disturbed?.();
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
    const view = this.view(runId);
    const { header: before } = view;
    const written: RunHeader | undefined = batch.puts.get("record") as RunHeader | undefined;
    view.header = headerAfter(view, batch);
    applyWaitRows(view.waitRows, batch);
    const entries = [...batch.puts].flatMap(([key, row]) => (key.startsWith("journal/") ? [row as JournalEntry] : []));
    this.#bind(runId, view, entries, written);
    // The commit that creates a resumed run contains the entries that it takes over.
    const own = before === undefined ? [] : entries;
    const commit: Commit = { batch, now: this.#now(), before, after: view.header, entries: own };
    for (const [, watcher] of this.#watchers) watcher.committed?.(runId, commit);
  }

  /** Notes which values of the newest execution led to stored entries. */
  #bind(runId: string, { ended, logs }: RunView, entries: readonly JournalEntry[], written?: RunHeader): void {
    const current = logs.at(-1);
    for (const { type, op } of entries) {
      if (current !== undefined) current.bound = Math.max(current.bound, current.requestedAt.get(op) ?? 0);
      if (type !== "step.completed" && type !== "step.failed") continue;
      if (ended.has(op)) this.#find("journal", `${op} of ${runId} has two outcomes`);
      ended.add(op);
    }
    if (written === undefined || current === undefined || !isTerminal(written.status)) return;
    if (written.status === "completed") current.bound = current.seen.length;
    // Code may clean up after the end. The values that it receives then are not checked.
    current.abandoned = true;
  }

  /** The findings of the oracles that watched the simulation. */
  allFindings(): Finding[] {
    return [
      ...this.findings,
      ...this.#watchers.flatMap(([oracle, { findings }]) => findings.map((text) => ({ oracle, text }))),
    ];
  }

  /** A run was deleted. If it is created again, the oracle on children finds it. */
  deleted(runId: string): void {
    this.#views.delete(runId);
  }

  clockSetBack(): void {
    for (const [, watcher] of this.#watchers) watcher.clockSetBack?.();
  }

  view(runId: string): RunView {
    let view = this.#views.get(runId);
    if (view === undefined) {
      view = { logs: [], ended: new Set(), started: new Map(), header: undefined, waitRows: new Map(), lostEpoch: 0 };
      this.#views.set(runId, view);
    }
    return view;
  }

  /** What the newest execution of a run requested. */
  entered(runId: string): ReadonlySet<string> {
    return new Set(this.view(runId).logs.at(-1)?.requestedAt.keys());
  }

  #find(oracle: Finding["oracle"], text: string): void {
    this.findings.push({ oracle, text });
  }

  /** Returns all observations as text, to compare two simulations of one seed. */
  trace(): string {
    return JSON.stringify([...this.#views].map(([id, { logs, started }]) => [id, logs, [...started]]));
  }
}
