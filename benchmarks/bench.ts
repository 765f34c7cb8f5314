/**
 * `pnpm bench [--quick]`: compares Holdfast with the floor of the platform and with the peer, in one run.
 *
 * Owns: the order of the measures, and the written files. `--quick` takes few samples, prints the tables and writes no
 * file; without it benchmarks/results.json, RESULTS.md and plots/ are written.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Bench, PIPES, floorOf, peerToEnd, runToEnd } from "./measures/contest.ts";
import { measureOneStep, measureParallel, measureThroughput, measureWake } from "./measures/latencies.ts";
import { measureSteps } from "./measures/steps.ts";
import { measureColdWake, measureMemory, measureRows } from "./measures/storage.ts";
import { startPlatform } from "./platform.ts";
import { drawPlots } from "./plots.ts";
import { type Results, describeMachine, drawResults, drawTables } from "./report.ts";
import type { Measure } from "./statistics.ts";
import { judge } from "./targets.ts";

type Take = (bench: Bench) => Promise<Measure>;

/** Memory is first, because workerd does not return memory that earlier measures have used. */
const MEASURES: readonly Take[] = [
  measureMemory,
  measureRows,
  measureOneStep,
  measureWake,
  measureParallel,
  measureThroughput,
  measureColdWake,
  measureSteps,
];

async function main(): Promise<void> {
  const quick = process.argv.includes("--quick");
  const startedAt = performance.now();
  const platform = await startPlatform();
  const bench: Bench = { platform, quick, progress };
  const measures: Measure[] = [];
  try {
    await warmUp(bench);
    for (const take of MEASURES) measures.push(await taken(take, bench));
  } finally {
    await platform.dispose();
  }
  const results: Results = {
    date: new Date().toISOString(),
    seconds: (performance.now() - startedAt) / 1_000,
    machine: describeMachine({ workerd: versionOf("workerd"), miniflare: versionOf("miniflare") }),
    targets: judge(measures),
    measures,
  };
  progress("");
  console.log(drawTables(results));
  for (const { title, failures } of measures) for (const text of failures) console.log(`${title}: ${text}`);
  if (!quick) write(results);
  console.log(`\n${Math.round(results.seconds)} s`);
}

/** Lets compilers and caches finish their work before the first measure. */
async function warmUp({ platform, progress: report }: Bench): Promise<void> {
  report("warming up");
  for (const pipe of PIPES) {
    for (let i = 0; i < 20; i++) await runToEnd(platform, `${pipe}-warm-${i}`, "steps", 20);
    await floorOf(platform, pipe, 100);
  }
  for (let i = 0; i < 5; i++) await peerToEnd(platform, `peer-warm-${i}`, { kind: "steps", n: 20 });
}

/** Returns a measure without rows if it fails. */
async function taken(take: Take, bench: Bench): Promise<Measure> {
  try {
    return await take(bench);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { id: take.name, title: take.name, unit: "–", how: "This measure failed.", rows: [], failures: [text] };
  }
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
