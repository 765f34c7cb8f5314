/**
 * `pnpm simulate`: runs random programs, callers and faults for a number of seeds, with one process per core.
 *
 * Owns: the options, the table of what was exercised, and the exit code. This process also shrinks the scenarios that
 * fail.
 */
import { parseArgs } from "node:util";
import { ProgressLine, paint, printTable } from "@holdfast/local-runtime/terminal";
import { BUGS, type BugName } from "./bugs.ts";
import { findBugs } from "./find-bugs.ts";
import { makeScenario } from "./scenario.ts";
import { type SeedBatch, SeedPool } from "./seed-pool.ts";
import { shrink } from "./shrink.ts";
import { runScenario } from "./simulate.ts";

const HELP = `
  pnpm simulate               10,000 seeds, different ones each time.
  pnpm simulate --seeds N     N seeds.
  pnpm simulate --from S      The seeds from S on, the same every time.
  pnpm simulate --minutes M   Seeds for M minutes.
  pnpm simulate --bug NAME    With a deliberate bug: ${Object.keys(BUGS).join(", ")}.
  pnpm simulate --bugs        The number of seeds to find each deliberate bug. With --shard K/N: each N-th bug.

  Prints each failing seed with a shrunk scenario, and how often each feature was exercised.
  Exits with 0 if no seed failed, otherwise with 1.
`;

/** The number of failures that are shrunk and printed. */
const SHOWN_MAX = 5;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly minutes: number;
  readonly bug: BugName | undefined;
  /** Searches for these deliberate bugs instead. */
  readonly bugs: readonly BugName[];
}

type Failed = SeedBatch["failed"][number];

const options = readOptions();
if (options !== undefined) await main(options);

async function main(given: Options): Promise<void> {
  const pool = new SeedPool();
  const passed =
    given.bugs.length > 0 ? await findBugs(pool, given.from, given.bugs) : await simulateSeeds(pool, given);
  pool.end();
  process.exitCode = passed ? 0 : 1;
}

/** Simulates the seeds and prints what was exercised. Returns whether none failed. */
async function simulateSeeds(pool: SeedPool, { from, seeds, minutes, bug }: Options): Promise<boolean> {
  const until = performance.now() + minutes * 60_000;
  const failed: Failed[] = [];
  const counts = new Map<string, number>();
  const longest = new Map<string, number>();
  let done = 0;
  const progress = new ProgressLine(() => {
    const bar = "█".repeat(Math.floor((done / seeds) * 30)).padEnd(30, "·");
    const first = failed.slice(0, SHOWN_MAX).map(({ seed }) => seed);
    const which = first.length === 0 ? "" : ` (${first.join(", ")})`;
    return `${Number.isFinite(seeds) ? `${bar}  ` : ""}${done} seeds, ${failed.length} failed${which}`;
  });
  const batch = (result: SeedBatch, count: number): boolean => {
    done += count;
    failed.push(...result.failed);
    for (const [what, times] of result.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    for (const [kind, ms] of result.longest) longest.set(kind, Math.max(longest.get(kind) ?? 0, ms));
    return performance.now() < until;
  };
  await pool.run({ from, seeds, bug, batch });
  progress.end();
  printCounts(counts, longest);
  for (const one of failed.slice(0, SHOWN_MAX)) await show(one, bug);
  const again = `pnpm simulate --from ${from} --seeds ${done}`;
  if (failed.length === 0)
    console.log(`\n  ${paint(["green", "bold"], `${done} seeds passed.`)} Repeat with: ${again}\n`);
  else {
    const list = failed.map(({ seed }) => seed).join(", ");
    console.error(`\n  ${paint(["red", "bold"], `${failed.length} of ${done} seeds failed:`)} ${list}\n`);
  }
  return failed.length === 0;
}

function printCounts(counts: ReadonlyMap<string, number>, longest: ReadonlyMap<string, number>): void {
  printTable(
    ["exercised", "times"],
    [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  printTable(
    ["longest time from the end of a fault to progress", "ms"],
    [...longest].toSorted(([, a], [, b]) => b - a),
  );
}

async function show({ seed, findings }: Failed, bug: BugName | undefined): Promise<void> {
  const [first] = findings;
  const small = await shrink(makeScenario(seed), async (scenario) =>
    (await runScenario(scenario, bug, { leavesRejections: true })).findings.some(
      ({ oracle }) => oracle === first?.oracle,
    ),
  );
  const { findings: left } = await runScenario(small, bug, { leavesRejections: true });
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
      bugs: { type: "boolean", default: false },
      shard: { type: "string", default: "1/1" },
      help: { type: "boolean", short: "h" },
    },
  });
  const seeds = Number(values.seeds ?? (values.minutes === undefined ? 10_000 : Infinity));
  const from = Number(values.from ?? Date.now() % 1_000_000_000);
  const minutes = Number(values.minutes ?? Infinity);
  const known = values.bug === undefined || values.bug in BUGS;
  const isNumber = [seeds, minutes].every((value) => value > 0) && Number.isSafeInteger(from);
  const bugs = values.bugs ? bugsOf(values.shard) : [];
  if (values.help === true || !known || !isNumber || (values.bugs && bugs.length === 0)) {
    console.log(HELP);
    process.exitCode = values.help === true ? 0 : 1;
    return undefined;
  }
  return {
    seeds,
    from,
    minutes,
    bug: values.bug as BugName | undefined,
    bugs,
  };
}

/** The bugs of a shard `K/N`: each N-th bug from the K-th. A text of another form has none. */
function bugsOf(shard: string): BugName[] {
  const [first = 1, shards = 1] = shard.split("/").map(Number);
  return (Object.keys(BUGS) as BugName[]).filter((_, place) => place % shards === first - 1);
}
