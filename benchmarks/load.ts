/**
 * `pnpm load --runs N`: measures the memory of parked runs and the rate at which they are triggered and woken.
 *
 * Owns: the load: it parks more and more runs, with all their objects in memory, and then wakes all of them. Writes
 * benchmarks/LOAD.md and its plot.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { IndexShard } from "../packages/orchestrator-cloudflare/src/index-object/index-shard.ts";
import { type BenchPlatform, startPlatform } from "./platform.ts";
import { drawPlots } from "./plots.ts";
import { describeMachine } from "./report.ts";
import { type Measure, type Row, summarize } from "./statistics.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "4000" } } });
const RUNS_MAX = Number(values.runs);
const CONCURRENT = 50;
const MEBIBYTE = 1_048_576;
const INDEXED = 100_000;

interface Step {
  readonly runs: number;
  /** Runs that were triggered and parked per second in this step. */
  readonly perSecond: number;
  readonly memory: number;
}

await main();

async function main(): Promise<void> {
  const platform = await startPlatform();
  try {
    const base = platform.memory();
    const steps: Step[] = [];
    for (let parked = 0; parked < RUNS_MAX;) {
      const more = Math.min(RUNS_MAX - parked, Math.max(250, parked));
      const perSecond = await each(parked, more, (id) => park(platform, id));
      parked += more;
      steps.push({ runs: parked, perSecond, memory: platform.memory() - base });
      console.log(describe(steps.at(-1) as Step));
    }
    const wakes = await each(0, RUNS_MAX, (id) => wake(platform, id));
    console.log(`  all woken by a signal each: ${wakes.toFixed(0)} a second`);
    const index = indexBytes();
    console.log(`  the index: ${index.toFixed(0)} bytes a run, of ${INDEXED}`);
    write(steps, wakes, index);
  } finally {
    await platform.dispose();
  }
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

function describe({ runs, perSecond, memory }: Step): string {
  const each_ = (memory / runs / 1_024).toFixed(0);
  return `  ${runs} runs parked: ${(memory / MEBIBYTE).toFixed(0)} MiB, ${each_} KiB each; ${perSecond.toFixed(0)} triggered a second`;
}

function write(steps: readonly Step[], wakes: number, index: number): void {
  const measure: Measure = {
    id: "load",
    title: "Memory of parked runs",
    unit: "MiB",
    how: "",
    rows: steps.map(({ runs, memory }) => row(runs, memory / MEBIBYTE)),
    failures: [],
  };
  const [drawing] = drawPlots([measure]);
  mkdirSync(join(import.meta.dirname, "plots"), { recursive: true });
  if (drawing !== undefined) writeFileSync(join(import.meta.dirname, "plots/load.svg"), drawing.svg);
  const { cpu, cores, memory: installed, system, node } = describeMachine({ workerd: "", miniflare: "" });
  const rows = steps.map(
    ({ runs, memory, perSecond }) =>
      `| ${runs} | ${(memory / MEBIBYTE).toFixed(0)} | ${(memory / runs / 1_024).toFixed(0)} | ${perSecond.toFixed(0)} |`,
  );
  writeFileSync(
    join(import.meta.dirname, "LOAD.md"),
    `# Load, ${new Date().toISOString().slice(0, 10)}

Written by \`pnpm load\`. The load is runs of one step that then wait for a signal, with all their objects in the memory of one workerd, and storage on disk; ${CONCURRENT} requests are sent concurrently. On
Cloudflare a waiting object leaves memory within seconds, and then takes none; plain workerd may keep it in memory.

${cores} cores of ${cpu}, ${installed}, ${system}; Node ${node}.

| parked | total MiB | KiB each | triggered a second |
| ------ | ---------- | -------- | ------------------ |
${rows.join("\n")}

![Memory of parked runs](plots/load.svg)

Then each run got its signal: ${wakes.toFixed(0)} runs a second woke and ended. The index takes ${index.toFixed(0)} bytes a run on disk, including its SQL indexes (${INDEXED} runs with a tag).
`,
  );
}

function row(n: number, value: number): Row {
  return { what: "parked", who: "Holdfast", n, ...summarize([value]) };
}
