/**
 * `pnpm bench:paging:workerd [steps] [characters]`: the memory and the time of a replay in real workerd.
 *
 * Owns: a process for each replay, so that the memory of the first execution does not count. One process writes the
 * journal, and others replay it. A run with an empty journal in the same way shows what workerd itself takes.
 *
 * The times of whole and paged replays over the inline pipe are compared in alternating rounds, because a single one varies.
 *
 * Resident memory includes garbage, which V8 leaves until its heap reaches a limit, and workerd sets none. So the replay is
 * repeated with limits: the smallest one at which it completes bounds what is live, and the resident memory with it is
 * what the replay needs.
 */
import { cpSync, rmSync } from "node:fs";
import { printTable } from "@holdfast/local-runtime/terminal";
import { wake } from "./measures/contest.ts";
import { summarize } from "./statistics.ts";
import { type BenchPlatform, type PlatformOptions, startPlatform } from "./platform.ts";

const MiB = 2 ** 20;
const SAMPLE_MS = 5;
/** Limits of the heap, MiB. */
const HEAPS = [128, 96, 64, 48, 40, 32, 24];
const ROUNDS = 8;
const [steps = "5000", chars = "8000"] = process.argv.slice(2);

interface Sample {
  readonly ms: number;
  /** The growth of the resident memory of workerd. */
  readonly bytes: number;
}

/** Writes the journal of a run, and returns the directory with its object. */
async function write(id: string, workflowId: string, n: number): Promise<string> {
  const platform = await startPlatform();
  const input = { n, chars: Number(chars) };
  await platform.ask("/api/runs", { json: { runId: id, workflowId, input }, wait: 50 });
  await platform.dispose({ keep: true });
  return platform.directory;
}

/** Wakes a run in a new process; `undefined`: the process ended, because it had not enough memory. */
async function replay(id: string, options: PlatformOptions): Promise<Sample | undefined> {
  const platform = await startPlatform(options);
  try {
    return await watched(platform, id);
  } catch (error) {
    if (options.heapMiB === undefined) throw error;
    return undefined;
  } finally {
    await platform.dispose({ keep: true });
  }
}

async function watched(platform: BenchPlatform, id: string): Promise<Sample> {
  const warm = { runId: `warm-${crypto.randomUUID()}`, workflowId: "steps", input: 1 };
  await platform.ask("/api/runs", { json: warm, wait: 50 });
  const before = platform.memory();
  let most = before;
  const watching = setInterval(() => {
    most = Math.max(most, platform.memory());
  }, SAMPLE_MS);
  try {
    return { ms: await wake(platform, id), bytes: most - before };
  } finally {
    clearInterval(watching);
  }
}

/** Replays a copy of a stored run: a replay ends it. */
async function replayCopy(id: string, directory: string, heapMiB?: number): Promise<Sample | undefined> {
  const copy = `${directory}-${heapMiB}`;
  cpSync(directory, copy, { recursive: true });
  const sample = await replay(id, { directory: copy, ...(heapMiB === undefined ? {} : { heapMiB }) });
  rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
  return sample;
}

/** Replays one journal, without a limit of the heap and with the smallest that suffices. */
async function measure(pipe: string, workflowId: string, n: number) {
  const id = `cold-${pipe}-long`;
  const directory = await write(id, workflowId, n);
  const free = await replayCopy(id, directory);
  let least: (Sample & { readonly heapMiB: number }) | undefined;
  for (const heapMiB of n === 0 ? [] : HEAPS) {
    const sample = await replayCopy(id, directory, heapMiB);
    if (sample === undefined) break;
    least = { ...sample, heapMiB };
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  return { free, least };
}

/** The times of the same journal whole and in pages, in alternating rounds. */
async function compareInline(): Promise<void> {
  const id = "cold-inline-long";
  const times: Record<"whole" | "paged", number[]> = { whole: [], paged: [] };
  const written = { whole: await write(id, "whole", Number(steps)), paged: await write(id, "paged", Number(steps)) };
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of ["whole", "paged"] as const)
      times[kind].push((await replayCopy(id, written[kind]))?.ms ?? Number.NaN);
  for (const directory of Object.values(written)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  const { whole, paged } = { whole: summarize(times.whole), paged: summarize(times.paged) };
  const shown = Object.entries({ whole, paged }).map(([kind, { median, samples }]) => [
    kind,
    Math.round(median),
    samples.map(Math.round).join(" "),
  ]);
  printTable(["inline journal", `median of ${ROUNDS}, ms`, "each, ms"], shown);
  console.log(`  paged / whole: ${(paged.median / whole.median).toFixed(2)}\n`);
}

const rows: (string | number)[][] = [];
for (const pipe of ["inline", "rpc", "http"]) {
  const empty = (await measure(pipe, "paged", 0)).free?.bytes ?? 0;
  const above = (sample: Sample | undefined): number => Math.round(((sample?.bytes ?? Number.NaN) - empty) / MiB);
  // workerd refuses RPC messages of more than 32 MiB, so a longer journal cannot be sent whole.
  for (const workflowId of pipe === "rpc" ? ["paged"] : ["whole", "paged"]) {
    const { free, least } = await measure(pipe, workflowId, Number(steps));
    rows.push([pipe, workflowId, Math.round(free?.ms ?? 0), above(free), least?.heapMiB ?? "more", above(least)]);
  }
}
printTable(["pipe", "journal", "ms", "MiB above an empty run", "smallest heap, MiB", "MiB above, with it"], rows);
await compareInline();
