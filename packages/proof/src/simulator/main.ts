/**
 * `pnpm simulate`: random programs, outsiders and faults, over as many seeds as asked for, a process for each core.
 *
 * Owns: options, handing out seeds, the table of what was exercised, the exit code. What fails is made smaller here.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ProgressLine, paint, printTable } from "@holdfast/cli/terminal";
import { BUGS, type BugName } from "./bugs.ts";
import type { Finding } from "./oracles.ts";
import { makeScenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { playScenario } from "./simulate.ts";

const HELP = `
  pnpm simulate               10,000 seeds, other ones each time.
  pnpm simulate --seeds N     N seeds.
  pnpm simulate --from S      The seeds from S on, the same every time.
  pnpm simulate --minutes M   Until M minutes are over.
  pnpm simulate --bug NAME    With a deliberate bug: ${Object.keys(BUGS).join(", ")}.

  Prints each seed that fails, made as small as it goes, and what was exercised how often.
  Exits with 0 if none failed, else with 1.
`;

/** Seeds that a process gets at one time. */
const PORTION = 250;
/** Failures that are made smaller and shown. */
const SHOWN_MAX = 5;

/** What a process answers for a portion. */
export interface Portion {
  readonly failed: readonly { readonly seed: number; readonly findings: readonly Finding[] }[];
  readonly counts: readonly (readonly [string, number])[];
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
  const failed: Portion["failed"][number][] = [];
  const counts = new Map<string, number>();
  let [next, done] = [from, 0];
  const progress = new ProgressLine(() => {
    const bar = "█".repeat(Math.floor((done / seeds) * 30)).padEnd(30, "·");
    return `${Number.isFinite(seeds) ? `${bar}  ` : ""}${done} seeds, ${failed.length} failed`;
  });
  const work = async (worker: ChildProcess): Promise<void> => {
    while (next < from + seeds && performance.now() < until) {
      const count = Math.min(PORTION, from + seeds - next);
      const portion = await ask(worker, { from: next, count: (next += count) && count, bug });
      done += count;
      failed.push(...portion.failed);
      for (const [what, times] of portion.counts) counts.set(what, (counts.get(what) ?? 0) + times);
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
  for (const one of failed.slice(0, SHOWN_MAX)) await show(one, bug);
  const again = `pnpm simulate --from ${from} --seeds ${done}`;
  if (failed.length === 0) console.log(`\n  ${paint(["green", "bold"], `${done} seeds held.`)} Again with: ${again}\n`);
  else {
    const list = failed.map(({ seed }) => seed).join(", ");
    console.error(`\n  ${paint(["red", "bold"], `${failed.length} of ${done} seeds failed:`)} ${list}\n`);
    process.exitCode = 1;
  }
}

/** One question at a time; a process that dies is an error. */
function ask(worker: ChildProcess, question: object): Promise<Portion> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`a process of the simulator ended with ${code}`));
    worker.once("exit", died);
    worker.once("message", (answer) => {
      worker.off("exit", died);
      resolve(answer as Portion);
    });
    worker.send(question);
  });
}

async function show({ seed, findings }: Portion["failed"][number], bug: BugName | undefined): Promise<void> {
  const [first] = findings;
  const small = await shrink(makeScenario(seed), async (scenario) =>
    (await playScenario(scenario, bug)).findings.some(({ oracle }) => oracle === first?.oracle),
  );
  const { findings: left } = await playScenario(small, bug);
  console.error(`\n  ${paint(["red", "bold"], `Seed ${seed}`)} fails, in the end with this:`);
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
