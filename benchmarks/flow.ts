/**
 * `pnpm bench:flow [--share 0.02]`: measures limits, schedules, events and windows on a local workerd with storage on disk, with
 * a floor beside each: an object that commits one row for each request.
 *
 * Writes FLOW.md. `--share 0.02` does a part of the work, to try it, and writes nothing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { describeMachine } from "./report.ts";

const { values } = readArguments({ options: { share: { type: "string", default: "1" } } });
const share = Number(values.share);

/** How often each thing is done, how many times at once, and after how many rounds the median is taken. */
const [COUNT, WIDTH, ROUNDS] = [Math.ceil(500 * share), 32, 3];
const WAITING = Math.ceil(10_000 * share);
/** Runs are started in groups: each is one request. */
const GROUP = 500;
const WOKEN_MS_MAX = 600_000;

interface Line {
  readonly what: string;
  readonly of: string;
  /** The load in the Worker, and its floor. */
  readonly act: string;
  readonly floor: "floor" | "floor of new objects";
}

const LINES: readonly Line[] = [
  { what: "admissions and releases", of: "one key of a limit", act: "admissions", floor: "floor" },
  { what: "ticks by hand, each with its run", of: "one schedule", act: "ticks of one", floor: "floor of new objects" },
  { what: "ticks by hand, each with its run", of: "50 schedules", act: "ticks of many", floor: "floor of new objects" },
  { what: "runs without a schedule", of: "as many objects", act: "run", floor: "floor of new objects" },
  { what: "events", of: "one key", act: "events of one key", floor: "floor of new objects" },
  { what: "events", of: "50 keys", act: "events of many keys", floor: "floor of new objects" },
  { what: "triggers", of: "one window of debounce", act: "debounce", floor: "floor" },
  { what: "triggers", of: "one window of batch", act: "batch", floor: "floor" },
];

interface Woken {
  readonly waiting: number;
  readonly startedSeconds: number;
  readonly wokenSeconds: number;
  readonly mib: readonly [empty: number, waiting: number, woken: number];
}

const startedAt = performance.now();
const runtime = await startLocalRuntime(fileURLToPath(new URL("workers/flow/wrangler.jsonc", import.meta.url)));
try {
  await load(runtime, "schedules", 51, 8);
  const rows: string[] = [];
  for (const line of LINES) rows.push(await measure(runtime, line));
  const text = report(rows, await wake(runtime), (performance.now() - startedAt) / 1_000);
  console.log(text);
  if (share === 1) {
    writeFileSync(new URL("FLOW.md", import.meta.url), text);
    execFileSync(join(import.meta.dirname, "../node_modules/.bin/oxfmt"), ["FLOW.md"], { cwd: import.meta.dirname });
  }
} finally {
  await runtime.dispose();
}

/** Does something `n` times, `width` at a time. Resolves with the seconds. */
async function load({ url }: LocalRuntime, act: string, n: number, width: number): Promise<number> {
  const start = performance.now();
  const answer = await fetch(`${url}/bench?do=${encodeURIComponent(act)}&n=${n}&width=${width}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${act}: ${answer.status}: ${text}`);
  return (performance.now() - start) / 1_000;
}

/** Alternates with the floor, so that what else the machine does affects both. */
async function measure(on: LocalRuntime, { what, of, act, floor }: Line): Promise<string> {
  await load(on, act, Math.ceil(COUNT / 10), WIDTH);
  const ratios: number[] = [];
  const rates: number[] = [];
  const bases: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const base = COUNT / (await load(on, floor, COUNT, WIDTH));
    const rate = COUNT / (await load(on, act, COUNT, WIDTH));
    rates.push(rate);
    bases.push(base);
    ratios.push(base / rate);
  }
  const line = `| ${what} | ${of} | ${Math.round(median(rates))} | ${Math.round(median(bases))} | ${median(ratios).toFixed(1)} |`;
  console.log(line);
  return line;
}

/** One event for all runs that wait. */
async function wake(on: LocalRuntime): Promise<Woken> {
  const empty = residentMiB(on);
  let startedSeconds = 0;
  for (let left = WAITING; left > 0; left -= GROUP)
    startedSeconds += await load(on, "wait", Math.min(left, GROUP), WIDTH);
  const waiting = residentMiB(on);
  const start = performance.now();
  await load(on, "event for all", 1, 1);
  for (;;) {
    const { woken } = (await (await fetch(`${on.url}/seen`)).json()) as { readonly woken: number };
    if (woken >= WAITING) break;
    if (performance.now() - start > WOKEN_MS_MAX) throw new Error(`${woken} of ${WAITING} runs have the event`);
    await delay(50);
  }
  const wokenSeconds = (performance.now() - start) / 1_000;
  return { waiting: WAITING, startedSeconds, wokenSeconds, mib: [empty, waiting, residentMiB(on)] };
}

function residentMiB(on: LocalRuntime): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${on.pid()}/status`, "utf8"))?.[1];
  return Math.round(Number(kib) / 1_024);
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;
}

function report(rows: readonly string[], woken: Woken, seconds: number): string {
  const require = createRequire(import.meta.url);
  const versionOf = (name: string): string => (require(`${name}/package.json`) as { readonly version: string }).version;
  const machine = describeMachine({ workerd: versionOf("workerd"), miniflare: versionOf("miniflare") });
  const [empty, waiting, after] = woken.mib;
  return `# Limits, schedules, events and windows, ${new Date().toISOString().slice(0, 10)}

Written by \`pnpm bench:flow\`. Everything runs in one workerd with storage on disk; ${WIDTH} requests are in flight. The floor is an
object that commits one row for each request: one object, or a new one for each request where runs or events are new objects. **Read the ratios**: how many requests of the floor take as long
as one of these. Each is the median of ${ROUNDS} rounds of ${COUNT}.
The commits of one object in one turn of the event loop reach the disk together, so the floor of one object varies with how
requests arrive.

${machine.cores} cores of ${machine.cpu}, ${machine.memory}, ${machine.system}; Node ${machine.node}, workerd ${machine.workerd}. The run took ${Math.round(seconds)} s.

| what | of | a second | floor, a second | ratio |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

${woken.waiting} runs that wait for one key of an event were started in ${woken.startedSeconds.toFixed(1)} s. The last one had the event ${woken.wokenSeconds.toFixed(2)} s
after it was sent: ${Math.round(woken.waiting / woken.wokenSeconds)} runs a second. The resident memory of workerd was ${empty} MiB before the runs, ${waiting} MiB while they
waited, and ${after} MiB when all had the event.
`;
}
