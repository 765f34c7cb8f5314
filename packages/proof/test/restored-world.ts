/**
 * Back-ups of a world in memory, and their restoration (DUR14).
 *
 * Owns: the model of a back-up. It begins at one commit of the world. It contains each run that existed then, as the run was
 * after that commit or after a later one. Runs that were created later are missing.
 */
import { JOURNAL_PREFIX, alarmOf } from "@holdfast/orchestrator";
import type { JournalEntry } from "@holdfast/protocol";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost, MemoryStore, VirtualClock } from "@holdfast/workflows/testing";

type Rows = Readonly<Record<string, unknown>>;

/** A commit: the run, and all rows of it after the commit. */
export interface Commit {
  readonly runId: string;
  readonly rows: Rows;
  readonly at: number;
}

/** Watches the hosts of a world. Use `onCreate` as their option. */
export class Recorder {
  readonly commits: Commit[] = [];
  readonly onCreate = (host: MemoryHost): void => {
    const before = host.store.afterCommit;
    host.store.afterCommit = (batch) => {
      before(batch);
      this.commits.push({ runId: host.runId, rows: host.store.dump(), at: host.clock.now() });
    };
  };
}

/** The state of each run in a back-up, by its id. */
export type BackUp = ReadonlyMap<string, Rows>;

/** Takes a back-up that begins after `first` commits. `choose(n)` returns a number below `n`: how much later a run is copied. */
export function backUp(commits: readonly Commit[], first: number, choose: (n: number) => number): BackUp {
  const copies = new Map<string, Rows>();
  for (const { runId, rows } of commits.slice(0, first)) copies.set(runId, rows);
  for (const [runId, rows] of copies) {
    const later = [rows, ...commits.slice(first).flatMap((one) => (one.runId === runId ? [one.rows] : []))];
    copies.set(runId, later[choose(later.length)] ?? rows);
  }
  return copies;
}

/** The steps with an outcome in the back-up, as `run step`. */
export function stepsIn(copies: BackUp): Set<string> {
  const steps = new Set<string>();
  for (const [runId, rows] of copies) {
    for (const [key, row] of Object.entries(rows)) {
      // A cast: keys determine the forms of rows.
      const { type, op } = row as JournalEntry;
      if (key.startsWith(JOURNAL_PREFIX) && type === "step.completed") steps.add(`${runId} ${op.split("/")[2]}`);
    }
  }
  return steps;
}

/** Restores the runs of a back-up, visits each once, and runs the world until nothing is left to do. */
export async function restore(
  copies: BackUp,
  workflows: readonly Workflow[],
  { at, visits = true }: { readonly at: number; readonly visits?: boolean },
): Promise<Map<string, MemoryHost>> {
  const clock = new VirtualClock();
  clock.jump(at - clock.now());
  const world = new Map<string, MemoryHost>();
  for (const [runId, rows] of copies) {
    const store = new MemoryStore();
    store.rewind(rows);
    void new MemoryHost({ workflows, runId, world, clock, store });
  }
  for (const [place, runId] of [...copies.keys()].entries()) {
    const host = world.get(runId);
    if (host === undefined || !host.triggered) continue;
    if (visits) host.host.handle({ type: "reindex", restored: true });
    // The restoration was interrupted, and visits each run again.
    if (visits && place % 2 === 1) {
      host.crash();
      host.host.handle({ type: "reindex", restored: true });
    }
    host.store.setAlarm(alarmOf(host.host.state, clock.now()));
  }
  const [first] = world.values();
  await first?.advance(HOUR_MS);
  return world;
}

const HOUR_MS = 3_600_000;
