/**
 * `pnpm load --runs N`: measures the memory of parked runs, how soon they leave it, and how fast runs are triggered and woken.
 *
 * Owns: the load: it parks more and more runs, waits until their objects left memory, and then wakes all of them. An object
 * that only writes three rows is the floor. Writes benchmarks/LOAD.md and its plot.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { IndexShard } from "../packages/orchestrator-cloudflare/src/index-object/index-shard.ts";
import { until } from "@holdfast/local-runtime/until";
import { floorOf } from "./measures/contest.ts";
import { type BenchPlatform, startPlatform } from "./platform.ts";
import { drawPlots } from "./plots.ts";
import { describeMachine } from "./report.ts";
import { timed } from "./rounds.ts";
import { type Measure, type Row, summarize } from "./statistics.ts";

const { values } = readArguments({ options: { runs: { type: "string", default: "4000" } } });
const RUNS_MAX = Number(values.runs);
const CONCURRENT = 50;
const MEBIBYTE = 1_048_576;
const INDEXED = 100_000;
/** Objects of the floor: few enough that all are in memory when the last one is made. */
const FLOORS = 500;
const LEAVING_MS_MAX = 60_000;
/** The tables of alarms of the three classes are databases too. */
const SINGLETONS = 3;

interface Step {
  readonly runs: number;
  /** The objects in memory then. */
  readonly loaded: number;
  /** Runs that were triggered and parked per second in this step. */
  readonly perSecond: number;
  /** The growth of the resident memory since the start, bytes. */
  readonly memory: number;
}

interface Load {
  readonly steps: readonly Step[];
  /** The growth of the memory for each object of the floor, bytes. */
  readonly floorBytes: number;
  /** The time from the last request until no object was in memory, s. */
  readonly leavingS: number;
  /** Runs that woke and ended, per second. */
  readonly wakes: number;
  /** Bytes of the index for each run. */
  readonly index: number;
}

await main();

async function main(): Promise<void> {
  const floorBytes = await measureFloor();
  const platform = await startPlatform();
  try {
    const base = platform.memory();
    const steps: Step[] = [];
    for (let parked = 0; parked < RUNS_MAX;) {
      const more = Math.min(RUNS_MAX - parked, Math.max(250, parked));
      const perSecond = await each(parked, more, (id) => park(platform, id));
      parked += more;
      steps.push({ runs: parked, loaded: platform.loaded(), perSecond, memory: platform.memory() - base });
      console.log(describe(steps.at(-1) as Step));
    }
    const leavingS = await untilLeft(platform);
    console.log(`  all had left memory ${leavingS.toFixed(0)} s after the last one`);
    const wakes = await each(0, RUNS_MAX, (id) => wake(platform, id));
    console.log(`  all woken by a signal each: ${wakes.toFixed(0)} a second`);
    const index = indexBytes();
    console.log(`  the index: ${index.toFixed(0)} bytes a run, of ${INDEXED}`);
    write({ steps, floorBytes, leavingS, wakes, index });
  } finally {
    await platform.dispose();
  }
}

/** In a process of its own: memory that others used is not returned. */
async function measureFloor(): Promise<number> {
  const platform = await startPlatform();
  try {
    const base = platform.memory();
    await each(0, FLOORS, async (id) => void (await floorOf(platform, { pipe: "inline", n: 2, header: true }, id)));
    const bytes = (platform.memory() - base) / platform.loaded();
    console.log(`  an object that writes three rows: ${(bytes / 1_024).toFixed(0)} KiB`);
    return bytes;
  } finally {
    await platform.dispose();
  }
}

async function untilLeft(platform: BenchPlatform): Promise<number> {
  const ms = await timed(() =>
    until("all objects leave memory", LEAVING_MS_MAX, () => platform.loaded() <= SINGLETONS, 100),
  );
  return ms / 1_000;
}

async function park(platform: BenchPlatform, id: string): Promise<void> {
  await platform.ask("/api/runs", { json: { runId: id, workflowId: "waits", input: 1 }, wait: 30 });
}

async function wake(platform: BenchPlatform, id: string): Promise<void> {
  await platform.ask(`/api/runs/${id}/signals`, { json: { name: "go" } });
}

/** Calls `act` for `count` ids, 50 concurrently. Returns the rate per second. */
async function each(from: number, count: number, act: (id: string) => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < from + count) await act(`load-${next++}`);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  return (count / (performance.now() - startedAt)) * 1_000;
}

/** Returns the size of the run index on disk per run, including its SQL indexes, bytes. */
function indexBytes(): number {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-load-"));
  const file = join(folder, "index.sqlite");
  const database = new DatabaseSync(file);
  const shard = new IndexShard(
    { exec: (query, ...given) => database.prepare(query).all(...(given as SQLInputValue[])) },
    Infinity,
  );
  database.exec("BEGIN");
  for (let i = 0; i < INDEXED; i++) {
    const times = { createdAt: i, startedAt: i, endedAt: i, updatedAt: i };
    const facts = { environment: "production", triggeredBy: "token-0123abcd", tags: ["vip"] };
    shard.upsert(
      {
        ...times,
        ...facts,
        id: `01M844PB09P9TMDMDH2${i}`,
        version: 2,
        workflowId: `workflow-${i % 9}`,
        status: "completed",
      },
      0,
    );
  }
  database.exec("COMMIT");
  database.close();
  const { size } = statSync(file);
  rmSync(folder, { recursive: true });
  return size / INDEXED;
}

function describe({ runs, loaded, perSecond, memory }: Step): string {
  const each_ = (memory / loaded / 1_024).toFixed(0);
  return `  ${runs} runs parked: ${(memory / MEBIBYTE).toFixed(0)} MiB, ${loaded} objects in memory, ${each_} KiB each; ${perSecond.toFixed(0)} triggered a second`;
}

function write(load: Load): void {
  const measure: Measure = {
    id: "load",
    title: "Memory of parked runs",
    unit: "MiB",
    how: "",
    rows: load.steps.map(({ runs, memory }) => row(runs, memory / MEBIBYTE)),
    failures: [],
  };
  const [drawing] = drawPlots([measure]);
  mkdirSync(join(import.meta.dirname, "plots"), { recursive: true });
  if (drawing !== undefined) writeFileSync(join(import.meta.dirname, "plots/load.svg"), drawing.svg);
  writeFileSync(join(import.meta.dirname, "LOAD.md"), textOf(load));
  execFileSync(join(import.meta.dirname, "../node_modules/.bin/oxfmt"), ["LOAD.md"], { cwd: import.meta.dirname });
}

function textOf({ steps, floorBytes, leavingS, wakes, index }: Load): string {
  const { cpu, cores, memory: installed, system, node } = describeMachine({ workerd: "", miniflare: "" });
  const rows = steps.map(
    ({ runs, loaded, memory, perSecond }) =>
      `| ${runs} | ${loaded} | ${(memory / MEBIBYTE).toFixed(0)} | ${(memory / loaded / 1_024).toFixed(0)} | ${perSecond.toFixed(0)} |`,
  );
  return `# Load, ${new Date().toISOString().slice(0, 10)}

Written by \`pnpm load\`. The load is runs of one step that then wait for a signal, on one plain workerd with storage on disk; ${CONCURRENT} requests are sent concurrently. Resident memory includes garbage, and workerd does not return it: it is the most that was needed so far.

${cores} cores of ${cpu}, ${installed}, ${system}; Node ${node}.

| parked | in memory | total MiB | KiB for each in memory | triggered a second |
| ------ | --------- | --------- | ---------------------- | ------------------ |
${rows.join("\n")}

![Memory of parked runs](plots/load.svg)

An object that only writes three rows and sets its alarm takes ${(floorBytes / 1_024).toFixed(0)} KiB. workerd removes an idle object after 10 s: no run was in memory ${leavingS.toFixed(0)} s after the last one had begun to wait. Then each run got its signal: ${wakes.toFixed(0)} runs a second were loaded, woke and ended. The index takes ${index.toFixed(0)} bytes a run on disk, including its SQL indexes (${INDEXED} runs with a tag).
`;
}

function row(n: number, value: number): Row {
  return { what: "parked", who: "Holdfast", n, ...summarize([value]) };
}
