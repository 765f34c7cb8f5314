/**
 * `pnpm bench:against DIR [--quick] [--only TEXT]`: compares this checkout with another one in one run.
 *
 * Owns: the pairs. Each checkout has its own workerd and its own Node process, and they alternate within each round, so the
 * ratio of a round compares them on the same machine at about the same time. The dependencies of DIR must be installed.
 * Exits with 1 if a median ratio is above 1.05, because 5 percent is the noise of this measurement.
 */
import { resolve } from "node:path";
import { readArguments } from "@holdfast/local-runtime/arguments";
import { PIPES, type Pipe, inFlight, runToEnd, runToWait, wake } from "./measures/contest.ts";
import { type BenchPlatform, startPlatform } from "./platform.ts";
import { type Contestant, runRounds, timed } from "./rounds.ts";
import { type Row, ratioOf } from "./statistics.ts";

/** The highest ratio of medians that passes. */
const RATIO_MAX = 1.05;

interface Pair {
  readonly name: string;
  readonly rounds: number;
  readonly budgetMs: number;
  readonly sample: (platform: BenchPlatform, id: string) => Promise<number>;
}

function pairsOf(pipe: Pipe, quick: boolean): readonly Pair[] {
  const size = (rounds: number, seconds: number) => ({
    rounds: quick ? Math.ceil(rounds / 8) : rounds,
    budgetMs: (quick ? 0.2 : 1) * seconds * 1_000,
  });
  const steps = (n: number, rounds: number, seconds: number): Pair => ({
    name: `${n} steps, ${pipe}`,
    ...size(rounds, seconds),
    sample: (platform, id) => runToEnd(platform, id, "steps", n),
  });
  return [
    {
      name: `run of one step, ${pipe}`,
      ...size(160, 20),
      sample: (platform, runId) =>
        timed(() => platform.ask("/api/runs", { json: { runId, workflowId: "steps", input: 1 }, wait: 50 })),
    },
    {
      name: `signal to end, ${pipe}`,
      ...size(100, 20),
      sample: async (platform, id) => {
        await runToWait(platform, id, 1);
        return wake(platform, id);
      },
    },
    steps(100, 30, 20),
    steps(1_000, 40, 60),
    {
      name: `20 × 50 ms, ${pipe}`,
      ...size(20, 15),
      sample: (platform, id) => runToEnd(platform, id, "parallel", { n: 20, ms: 50 }),
    },
    {
      name: `200 runs, 50 in flight, ${pipe}`,
      ...size(12, 40),
      sample: (platform, id) => timed(() => inFlight(200, 50, (i) => runToEnd(platform, `${id}-${i}`, "steps", 3))),
    },
    {
      name: `cold wake of 5,000 entries, ${pipe}`,
      ...size(24, 40),
      sample: async (platform, id) => {
        await runToWait(platform, `cold-${id}`, 4_999);
        await platform.evict(`cold-${id}`);
        return wake(platform, `cold-${id}`);
      },
    },
  ];
}

interface Compared {
  readonly name: string;
  readonly now: Row | undefined;
  readonly before: Row | undefined;
  readonly ratio: number;
}

async function compare(now: BenchPlatform, before: BenchPlatform, pipe: Pipe, pair: Pair): Promise<Compared> {
  const contestant = (who: "Holdfast" | "before", platform: BenchPlatform): Contestant => ({
    what: pair.name,
    who,
    sample: (round) => pair.sample(platform, `${pipe}-${round}`),
  });
  const options = { ...pair, progress: (text: string) => void process.stderr.write(`\r\x1b[K${text}`) };
  const contestants = [contestant("Holdfast", now), contestant("before", before)];
  const { rows, failures } = await runRounds(contestants, options);
  for (const text of failures) console.log(`${pair.name}: ${text}`);
  const [own, other] = (["Holdfast", "before"] as const).map((who) => rows.find((row) => row.who === who));
  return { name: pair.name, now: own, before: other, ratio: ratioOf(own, other) };
}

function medianOf(row: Row | undefined): string {
  return (row?.median ?? Number.NaN).toFixed(2).padStart(9);
}

function describeLine({ name, now, before, ratio }: Compared): string {
  const verdict = ratio <= RATIO_MAX ? "" : `  above ${RATIO_MAX}`;
  return `${name.padEnd(36)} ${medianOf(now)} ms now ${medianOf(before)} ms before  ratio ${ratio.toFixed(3)}${verdict}`;
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, only: { type: "string", default: "" } },
  });
  const { quick, only } = values;
  const [directory] = positionals;
  if (directory === undefined) throw new Error("Name the checkout to compare with: pnpm bench:against ../other");
  // The other checkout starts its own platform: only it knows its bindings.
  const other = (await import(resolve(directory, "benchmarks/platform.ts"))) as { startPlatform: typeof startPlatform };
  const [now, before] = await Promise.all([startPlatform(), other.startPlatform()]);
  const compared: Compared[] = [];
  try {
    for (const pipe of PIPES) {
      for (const pair of pairsOf(pipe, quick).filter(({ name }) => name.includes(only))) {
        const one = await compare(now, before, pipe, pair);
        compared.push(one);
        process.stderr.write("\r\x1b[K");
        console.log(describeLine(one));
      }
    }
  } finally {
    await Promise.all([now.dispose(), before.dispose()]);
  }
  const above = compared.filter(({ ratio }) => !(ratio <= RATIO_MAX));
  console.log(`${compared.length} measures, ${above.length} above ${RATIO_MAX}`);
  if (above.length > 0) process.exitCode = 1;
}

await main();
