/**
 * Measures the storage of runs: the load of long journals, memory, rows and bytes.
 */
import { copyFileSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Contestant, runRounds } from "../rounds.ts";
import { type Measure, type Row, summarize } from "../statistics.ts";
import { steps, waiting } from "../systems/system.ts";
import { type Bench, PIPES, inFlight, runToEnd, runToWait, wake } from "./contest.ts";

export async function measureColdWake({ platform, quick, progress }: Bench): Promise<Measure> {
  const sizes = quick ? [10_000] : [100, 1_000, 10_000];
  const contestants = PIPES.flatMap((pipe) =>
    sizes.map((n): Contestant => ({
      what: pipe,
      who: "Holdfast",
      n,
      async sample(round) {
        const id = `cold-${pipe}-${round}`;
        // The wait is the last of the n entries.
        await runToWait(platform, id, n - 1);
        await platform.evict(id);
        return wake(platform, id);
      },
    })),
  );
  const options = { name: "cold wake", rounds: quick ? 1 : 5, budgetMs: quick ? 1 : 40_000, progress };
  return {
    id: "cold-wake",
    title: "Waking a run that left memory",
    unit: "ms",
    how: "A run of N − 1 steps waits for a signal, and `state.abort()` drops its object from memory. The measured time is from the delivery of the signal to the end of the run: the object loads the journal, replays the function to its wait, and the run ends. The first execution always runs inline, because that is fast; the execution that replays the journal uses the pipe.",
    ...(await runRounds(contestants, options)),
  };
}

/** Takes one sample: workerd does not return memory immediately, so a second sample would measure something else. */
export async function measureMemory({ platform, cloudflare, quick, progress }: Bench): Promise<Measure> {
  const [runs, peerRuns] = quick ? [150, 20] : [1_000, 200];
  const rows: Row[] = [];
  progress(`memory: ${runs} parked runs`);
  const own = await perThousand(platform, runs, (i) => runToWait(platform, `inline-parked-${i}`, 1));
  rows.push({ what: "inline", who: "Holdfast", n: runs, ...summarize([own / 2 ** 20]) });
  progress(`memory: ${peerRuns} parked runs of the peer`);
  const peer = await perThousand(cloudflare, peerRuns, (i) => cloudflare.park(`parked-${i}`, waiting(steps(1))));
  rows.push({ what: "Cloudflare Workflows", who: "peer", n: peerRuns, ...summarize([peer / 2 ** 20]) });
  return {
    id: "memory",
    title: "Memory of parked runs",
    unit: "MiB for 1,000 runs",
    how: "The growth of workerd's resident memory while N runs of one step start to wait, with all their objects still in memory, for each 1,000 runs. There is one sample, taken before all other measurements; uncollected garbage counts. A waiting run may leave memory at any time and then takes none.",
    rows,
    failures: [],
  };
}

/** Returns the growth of the memory for 1,000 calls of `act`, bytes. */
async function perThousand(
  system: { memory(): number },
  total: number,
  act: (i: number) => Promise<unknown>,
): Promise<number> {
  const before = system.memory();
  await inFlight(total, 20, act);
  return ((system.memory() - before) / total) * 1_000;
}

export async function measureRows({ platform, cloudflare, quick, progress }: Bench): Promise<Measure> {
  const n = quick ? 200 : 1_000;
  progress("rows and bytes");
  const own = await storedBy(join(platform.directory, "runs"), () => runToEnd(platform, "inline-rows", "steps", n));
  const { puts, deletes, alarms } =
    await platform.ask<Record<"puts" | "deletes" | "alarms", number>>("/bench/writes?id=inline-rows");
  const peer = await storedBy(join(cloudflare.directory, "workflows/miniflare-workflows-peer"), () =>
    cloudflare.run("rows", steps(n)),
  );
  const row = (what: string, who: Row["who"], value: number): Row => ({ what, who, n, ...summarize([value]) });
  return {
    id: "rows",
    title: "Rows and bytes",
    unit: "rows, or bytes",
    how: "The rows and bytes of one run of N steps, inline. Rows written are counted at the object's storage: rows put, rows deleted, alarms set. Rows and bytes stored are counted in the SQLite file on disk, for Holdfast and for the peer.",
    rows: [
      row("rows written", "Holdfast", puts + deletes + alarms),
      row("rows written beyond N", "Holdfast", puts + deletes + alarms - n),
      row("rows stored a step", "Holdfast", own.rows / n),
      row("rows stored a step", "peer", peer.rows / n),
      row("bytes stored a step", "Holdfast", own.bytes / n),
      row("bytes stored a step", "peer", peer.bytes / n),
    ],
    failures: [],
  };
}

interface Stored {
  readonly rows: number;
  readonly bytes: number;
}

/** Counts rows and bytes of the database that a run created. Reads a copy, because workerd has the database open. */
async function storedBy(folder: string, run: () => Promise<unknown>): Promise<Stored> {
  const databases = (): string[] => globSync(join(folder, "*.sqlite"));
  const before = new Set(databases());
  await run();
  const added = databases().find((file) => !before.has(file) && !file.endsWith("metadata.sqlite"));
  if (added === undefined) throw new Error(`the run created no database in ${folder}`);
  const copies = mkdtempSync(join(tmpdir(), "holdfast-bench-copy-"));
  try {
    const copy = join(copies, "copy.sqlite");
    for (const end of ["", "-wal"]) if (existsSync(added + end)) copyFileSync(added + end, copy + end);
    return countStored(copy);
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}

function countStored(file: string): Stored {
  const database = new DatabaseSync(file);
  try {
    const number = (query: string): number => Number(Object.values(database.prepare(query).get() ?? {})[0]);
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const rows = tables.reduce((sum, { name }) => sum + number(`SELECT count(*) FROM "${String(name)}"`), 0);
    return { rows, bytes: number("PRAGMA page_count") * number("PRAGMA page_size") };
  } finally {
    database.close();
  }
}
