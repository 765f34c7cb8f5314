/**
 * `pnpm simulate`: runs random programs, callers and faults for a number of seeds, with one process per core.
 *
 * Owns: the options, the distribution of seeds, the table of what was exercised, and the exit code. This process also
 * shrinks the scenarios that fail.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ProgressLine, paint, printTable } from "@holdfast/cli/terminal";
import { BUGS, type BugName } from "./bugs.ts";
import type { Finding } from "./oracles/finding.ts";
import { makeScenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { runScenario } from "./simulate.ts";

const HELP = `
  pnpm simulate               10,000 seeds, different ones each time.
  pnpm simulate --seeds N     N seeds.
  pnpm simulate --from S      The seeds from S on, the same every time.
  pnpm simulate --minutes M   Seeds for M minutes.
  pnpm simulate --bug NAME    With a deliberate bug: ${Object.keys(BUGS).join(", ")}.

  Prints each failing seed with a shrunk scenario, and how often each feature was exercised.
  Exits with 0 if no seed failed, otherwise with 1.
`;

/** The number of seeds per request to a process. */
const BATCH_SEEDS = 250;
/** The number of failures that are shrunk and printed. */
const SHOWN_MAX = 5;

/** The answer of a process for one batch of seeds. */
export interface SeedBatch {
  readonly failed: readonly { readonly seed: number; readonly findings: readonly Finding[] }[];
  readonly counts: readonly (readonly [string, number])[];
  /** The longest time from the end of a fault to the next progress, ms, by kind of fault. */
  readonly longest: readonly (readonly [string, number])[];
}

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly minutes: number;
  readonly bug: BugName | undefined;
}

const options = readOptions();
if (options !== undefined) await main(options);

async function main({ from, seeds, minutes, bug }: Options): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  const failed: SeedBatch["failed"][number][] = [];
  const counts = new Map<string, number>();
  const longest = new Map<string, number>();
  let [next, done] = [from, 0];
  const progress = new ProgressLine(() => {
    const bar = "█".repeat(Math.floor((done / seeds) * 30)).padEnd(30, "·");
    return `${Number.isFinite(seeds) ? `${bar}  ` : ""}${done} seeds, ${failed.length} failed`;
  });
  const work = async (worker: ChildProcess): Promise<void> => {
    while (next < from + seeds && performance.now() < until) {
      const count = Math.min(BATCH_SEEDS, from + seeds - next);
      const result = await ask(worker, { from: next, count: (next += count) && count, bug });
      done += count;
      failed.push(...result.failed);
      for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
      for (const [kind, ms] of result.longest) longest.set(kind, Math.max(longest.get(kind) ?? 0, ms));
    }
    worker.disconnect();
  };
  const worker = new URL("seeds-process.ts", import.meta.url);
  await Promise.all(Array.from({ length: availableParallelism() }, () => work(fork(worker))));
  progress.end();
  printTable(
    ["exercised", "times"],
    [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  printTable(
    ["longest time from the end of a fault to progress", "ms"],
    [...longest].toSorted(([, a], [, b]) => b - a),
  );
  for (const one of failed.slice(0, SHOWN_MAX)) await show(one, bug);
  const again = `pnpm simulate --from ${from} --seeds ${done}`;
  if (failed.length === 0)
    console.log(`\n  ${paint(["green", "bold"], `${done} seeds passed.`)} Repeat with: ${again}\n`);
  else {
    const list = failed.map(({ seed }) => seed).join(", ");
    console.error(`\n  ${paint(["red", "bold"], `${failed.length} of ${done} seeds failed:`)} ${list}\n`);
    process.exitCode = 1;
  }
}

/** Sends one request and waits for its answer. Rejects if the process ends. */
function ask(worker: ChildProcess, question: object): Promise<SeedBatch> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`a process of the simulator ended with ${code}`));
    worker.once("exit", died);
    worker.once("message", (answer) => {
      worker.off("exit", died);
      resolve(answer as SeedBatch);
    });
    worker.send(question);
  });
}

async function show({ seed, findings }: SeedBatch["failed"][number], bug: BugName | undefined): Promise<void> {
  const [first] = findings;
  const small = await shrink(makeScenario(seed), async (scenario) =>
    (await runScenario(scenario, bug)).findings.some(({ oracle }) => oracle === first?.oracle),
  );
  const { findings: left } = await runScenario(small, bug);
  console.error(`\n  ${paint(["red", "bold"], `Seed ${seed}`)} fails. The shrunk scenario:`);
  console.error(`    ${JSON.stringify(small)}`);
  for (const { oracle, text } of left.slice(0, 5)) console.error(`    ${oracle}: ${text}`);
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      from: { type: "string" },
      minutes: { type: "string" },
      bug: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const seeds = Number(values.seeds ?? (values.minutes === undefined ? 10_000 : Infinity));
  const from = Number(values.from ?? Date.now() % 1_000_000_000);
  const minutes = Number(values.minutes ?? Infinity);
  const known = values.bug === undefined || values.bug in BUGS;
  const isNumber = [seeds, minutes].every((value) => value > 0) && Number.isSafeInteger(from);
  if (values.help === true || !known || !isNumber) {
    console.log(HELP);
    process.exitCode = values.help === true ? 0 : 1;
    return undefined;
  }
  return { seeds, from, minutes, bug: values.bug as BugName | undefined };
}
