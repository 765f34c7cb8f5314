/**
 * The observations of a simulated world, and the oracles that check them during the simulation.
 *
 * Owns: the list of watchers, and the oracles "each execution receives the values that earlier executions received, in the same order" (REP2) and
 * "no body starts after its outcome is stored" (DUR3).
 */
import { type JournalEntry, isTerminal } from "@holdfast/protocol";
import { type RunHeader, type StoredHeader, type WriteBatch, storedAfter } from "@holdfast/orchestrator";
import type { ExecutionObserver, Observer } from "./observer.ts";
import type { Commit } from "./oracles/watcher.ts";
import type { Finding } from "./oracles/finding.ts";
import { Watchers } from "./watchers.ts";

interface RunView {
  /** The values that each execution received, oldest execution first. */
  readonly logs: Log[];
  /** Operations whose outcome is stored. */
  readonly ended: Set<string>;
  /** The number of body starts per operation. */
  readonly started: Map<string, number>;
  stored: StoredHeader;
  /** For each commit: restores what this view was before it. */
  readonly undo: (() => void)[];
}

interface Log {
  readonly epoch: number;
  /** Its process is another one than the run's. */
  readonly remote: boolean;
  /** The function has begun. */
  begun: boolean;
  readonly seen: string[];
  /** The number of values that the function had received when it requested each step. */
  readonly requestedAt: Map<string, number>;
  /** The number of values that led to a stored entry. Later executions must receive the same values. */
  bound: number;
  abandoned: boolean;
  /** Its process died. What its code still does in this process never happened. */
  dead: boolean;
}

export class Observations implements Observer {
  readonly findings: Finding[] = [];
  readonly changed: Set<string> = new Set();
  /** The number of deaths in each body. */
  readonly #died = new Map<string, number>();
  readonly #kill: (runId: string) => void;
  readonly handlesRejections: boolean;
  readonly #views = new Map<string, RunView>();
  readonly #now: () => number;
  readonly #watchers: Watchers;

  constructor(options: {
    readonly now: () => number;
    readonly handlesRejections: boolean;
    /** Ends the process of a run. */
    readonly kill: (runId: string) => void;
    /** The delay of a late message on the pipe, ms. */
    readonly lateMs: number;
  }) {
    const { now } = options;
    this.#now = now;
    this.#kill = options.kill;
    this.handlesRejections = options.handlesRejections;
    this.#watchers = new Watchers(now, options.lateMs);
  }

  /** An execution starts. Its function begins later, or never. */
  starting(runId: string, epoch: number, remote: boolean): void {
    const { logs } = this.view(runId);
    const begun = false;
    logs.push({ epoch, remote, begun, seen: [], requestedAt: new Map(), bound: 0, abandoned: false, dead: false });
    logs.sort((a, b) => a.epoch - b.epoch);
  }

  begin(runId: string, epoch: number): ExecutionObserver {
    const view = this.view(runId);
    const { logs, started, ended } = view;
    const log = logs.find((one) => one.epoch === epoch && !one.begun) ?? replayOf(epoch);
    log.begun = true;
    // An abandoned execution continues in memory for a while. What it receives then has no effect.
    const isAbandoned = (): boolean => logs.at(-1) !== log || log.abandoned;
    return {
      requests: (op, what) => {
        if (log.dead) return;
        log.requestedAt.set(op, log.seen.length);
        if (what !== undefined) this.#watchers.show((watcher) => watcher.requested?.(runId, op, what), runId);
      },
      dies: (op, deaths) => !isAbandoned() && this.#dies(runId, op, deaths),
      see: (seen) => {
        if (!isAbandoned()) this.#note(runId, log, seen);
      },
      bodyStarts: (op) => {
        if (log.dead) return;
        started.set(op, (started.get(op) ?? 0) + 1);
        const abandoned = isAbandoned();
        const process = log.remote ? undefined : runId;
        this.#watchers.show((watcher) => watcher.bodyStarts?.(runId, op, epoch, abandoned), process);
        if (ended.has(op) && !abandoned)
          this.#find("effects", `a body of ${op} of ${runId} started after its outcome was stored`);
      },
    };
  }

  /** Ends the process in a body, unless it has died there often enough. */
  #dies(runId: string, op: string, deaths: number): boolean {
    const died = this.#died.get(`${runId} ${op}`) ?? 0;
    if (died >= deaths) return false;
    this.#died.set(`${runId} ${op}`, died + 1);
    this.#kill(runId);
    return true;
  }

  /** The process of a run died in a body, and no request of a caller with it. */
  died(runId: string): void {
    this.#watchers.show((watcher) => watcher.died?.(runId));
  }

  /** The process that executed the run is dead, or its execution is abandoned. */
  freeze(runId: string): void {
    for (const log of this.view(runId).logs) log.abandoned = true;
    this.#watchers.show((watcher) => watcher.lost?.(runId));
  }

  faultEnded(runId: string, kind: string): void {
    this.#watchers.show((watcher) => watcher.faultEnded?.(runId, kind));
  }

  /** The process of a run died with its last commits. */
  lose(runId: string, commits: number): void {
    const { undo, logs } = this.view(runId);
    for (const log of logs) log.dead = !log.remote;
    for (const restore of undo.splice(undo.length - commits).toReversed()) restore();
    this.#watchers.lose(runId, commits);
  }

  /** Something happened to the world that may delay its runs. */
  disturbed(): void {
    this.#watchers.show((watcher) => watcher.disturbed?.());
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
    const { header: before } = view.stored;
    view.undo.push(restoring(view));
    const written: RunHeader | undefined = batch.puts.get("record") as RunHeader | undefined;
    view.stored = storedAfter(view.stored, batch);
    const entries = [...batch.puts].flatMap(([key, row]) => (key.startsWith("journal/") ? [row as JournalEntry] : []));
    this.#bind(runId, view, entries, written);
    // The commit that creates a resumed run contains the entries that it takes over.
    const own = before === undefined ? [] : entries;
    const commit: Commit = { batch, now: this.#now(), before, after: view.stored.header, entries: own };
    this.#watchers.show((watcher) => watcher.committed?.(runId, commit), runId, true);
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
    return [...this.findings, ...this.#watchers.findings];
  }

  get longest(): ReadonlyMap<string, number> {
    return this.#watchers.longest;
  }

  /** A run was deleted. If it is created again, the oracle on children finds it. */
  deleted(runId: string): void {
    this.#views.delete(runId);
  }

  clockSetBack(): void {
    this.#watchers.show((watcher) => watcher.clockSetBack?.());
  }

  view(runId: string): RunView {
    let view = this.#views.get(runId);
    if (view === undefined) {
      const stored = { header: undefined, waitRows: new Map(), streamRows: new Map() };
      view = { logs: [], ended: new Set(), started: new Map(), stored, undo: [] };
      this.#views.set(runId, view);
    }
    return view;
  }

  /** What the newest execution of a run requested. */
  entered(runId: string): ReadonlySet<string> {
    return new Set(
      this.view(runId)
        .logs.findLast(({ begun }) => begun)
        ?.requestedAt.keys(),
    );
  }

  #find(oracle: Finding["oracle"], text: string): void {
    this.findings.push({ oracle, text });
  }

  /** Returns all observations as text, to compare two simulations of one seed. */
  trace(): string {
    return JSON.stringify([...this.#views].map(([id, { logs, started }]) => [id, logs, [...started]]));
  }
}

/** An execution that no start message began: a replay of an ended run. What it does has no effect. */
function replayOf(epoch: number): Log {
  return {
    epoch,
    remote: false,
    begun: true,
    seen: [],
    requestedAt: new Map(),
    bound: 0,
    abandoned: true,
    dead: false,
  };
}

/** Returns a function that restores what is now known of the stored run. */
function restoring(view: RunView): () => void {
  const { stored, logs } = view;
  const ended = [...view.ended];
  const bounds = new Map(logs.map((log) => [log, log.bound]));
  return () => {
    view.stored = stored;
    view.ended.clear();
    for (const op of ended) view.ended.add(op);
    for (const log of logs) log.bound = bounds.get(log) ?? 0;
  };
}
