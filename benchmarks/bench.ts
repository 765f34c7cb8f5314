/**
 * `pnpm bench [--peers] [--quick] [--only TEXT]`: compares Holdfast with the floors of the platform and with peers, in one run.
 *
 * Owns: the order of the measures, and the written files. `--peers` adds Restate, and DBOS if the variable `PGURL` names a
 * PostgreSQL; Cloudflare Workflows always takes part. `--quick` takes few samples, and `--only` the measures whose ids
 * contain TEXT; both print the tables and write no file. Otherwise benchmarks/results.json, RESULTS.md and plots/ are
 * written. Each measure has a time limit, so that all together end within 25 minutes.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { measureAfterKill, measureAgent } from "./measures/agent.ts";
import { type Bench, PIPES, floorOf, runToEnd } from "./measures/contest.ts";
import { measureParallel } from "./measures/parallel.ts";
import { measureOneStep, measureSteps, measureThroughput, measureWake } from "./measures/runs.ts";
import { measureColdWake, measureMemory, measureRows } from "./measures/storage.ts";
import { startPlatform } from "./platform.ts";
import { drawPlots } from "./plots.ts";
import { type Results, describeMachine, drawResults, drawTables } from "./report.ts";
import type { Measure } from "./statistics.ts";
import { startCloudflareWorkflows } from "./systems/cloudflare-workflows.ts";
import { holdfastOver } from "./systems/holdfast.ts";
import { type Peers, startPeers } from "./systems/peers.ts";
import { type System, steps } from "./systems/system.ts";
import { judge } from "./targets.ts";

/** Memory is first, because workerd does not return memory that earlier measures have used. */
const MEASURES: Readonly<Record<string, (bench: Bench) => Promise<Measure>>> = {
  memory: measureMemory,
  rows: measureRows,
  "one-step": measureOneStep,
  wake: measureWake,
  parallel: measureParallel,
  throughput: measureThroughput,
  agent: measureAgent,
  "cold-wake": measureColdWake,
  steps: measureSteps,
  // The processes are new ones afterwards.
  "after-kill": measureAfterKill,
};

async function main(): Promise<void> {
  const { values } = readArguments({
    options: {
      peers: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
    },
  });
  const { quick, only } = values;
  const startedAt = performance.now();
  const peers: Peers = values.peers ? await startPeers(progress) : { systems: [], notes: [], dispose: async () => {} };
  for (const note of peers.notes) console.log(note);
  try {
    const measures = await measureAll({ quick, only, peers: peers.systems });
    report({ measures, peers: peers.notes, seconds: (performance.now() - startedAt) / 1_000 }, { quick, only });
  } finally {
    await peers.dispose();
  }
}

interface Chosen {
  readonly quick: boolean;
  readonly only: string;
  readonly peers: readonly System[];
}

async function measureAll({ quick, only, peers }: Chosen): Promise<readonly Measure[]> {
  const [platform, cloudflare] = await Promise.all([startPlatform(), startCloudflareWorkflows()]);
  const systems = [...PIPES.map((pipe) => holdfastOver(platform, pipe)), ...peers, cloudflare];
  const chosen = Object.entries(MEASURES).filter(([id]) => id.includes(only));
  const measures: Measure[] = [];
  try {
    await warmUp({ platform, systems, cloudflare, quick, progress });
    for (const [place, [id, take]] of chosen.entries()) {
      const minutes = (performance.now() / 60_000).toFixed(1);
      const shown = (text: string): void => progress(`[${place + 1} of ${chosen.length}, ${minutes} min] ${text}`);
      measures.push(await taken(id, take, { platform, systems, cloudflare, quick, progress: shown }));
    }
  } finally {
    await Promise.all([platform.dispose(), cloudflare.dispose()]);
  }
  return measures;
}

/** Lets compilers and caches finish their work before the first measure. */
async function warmUp({ platform, systems, quick, progress: shown }: Bench): Promise<void> {
  shown("warming up");
  for (const system of systems) {
    for (let i = 0; i < (quick ? 5 : 20); i++) await system.run(`warm-${i}`, steps(20));
  }
  for (const pipe of PIPES) await floorOf(platform, { pipe, n: 100 });
  for (const pipe of PIPES) await runToEnd(platform, `${pipe}-warm`, "steps", 20);
}

/** Returns a measure without rows if it fails. */
async function taken(id: string, take: (bench: Bench) => Promise<Measure>, bench: Bench): Promise<Measure> {
  try {
    return await take(bench);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { id, title: id, unit: "–", how: "This measure failed.", rows: [], failures: [text] };
  }
}

interface Taken {
  readonly measures: readonly Measure[];
  readonly peers: readonly string[];
  readonly seconds: number;
}

function report({ measures, peers, seconds }: Taken, { quick, only }: Pick<Chosen, "quick" | "only">): void {
  const targets = judge(measures);
  const results: Results = {
    date: new Date().toISOString(),
    seconds,
    machine: describeMachine({ workerd: versionOf("workerd"), miniflare: versionOf("miniflare") }),
    peers,
    // A part of the measures judges a part of the targets.
    targets: only === "" ? targets : targets.filter(({ met }) => met !== undefined),
    measures,
  };
  progress("");
  console.log(drawTables(results));
  for (const { title, failures } of measures) for (const text of failures) console.log(`${title}: ${text}`);
  if (!quick && only === "") write(results);
  console.log(`\n${Math.round(seconds)} s`);
}

function write(results: Results): void {
  const folder = import.meta.dirname;
  const plots = drawPlots(results.measures);
  mkdirSync(join(folder, "plots"), { recursive: true });
  for (const { id, svg } of plots) writeFileSync(join(folder, "plots", `${id}.svg`), svg);
  writeFileSync(join(folder, "results.json"), JSON.stringify(results, null, 2));
  writeFileSync(join(folder, "RESULTS.md"), drawResults(results, plots));
  execFileSync(join(folder, "../node_modules/.bin/oxfmt"), ["RESULTS.md", "results.json"], { cwd: folder });
  console.log("\nWritten: benchmarks/RESULTS.md, results.json and plots/.");
}

function versionOf(name: string): string {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const file = name === "miniflare" ? "../../package.json" : `${name}/package.json`;
  return (JSON.parse(readFileSync(require.resolve(file), "utf8")) as { version: string }).version;
}

/** Rewrites one line on a terminal, and prints lines elsewhere. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
  else if (text !== "") process.stderr.write(`${text}\n`);
}

await main();
// Libraries of peers may leave timers.
process.exit();
