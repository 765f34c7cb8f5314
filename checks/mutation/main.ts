/**
 * `pnpm mutate`: changes the orchestrator and the replay engine in many small ways, and counts the changes that no test
 * notices.
 *
 * Owns: the options, the draw, and the tables. Each mutant is tried against 200 seeds of the simulator and the plain-Node
 * suites of its package.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { glob } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ProgressLine, printTable } from "@holdfast/local-runtime/terminal";
import { type Verdict, killMutant, loadsReplacement, passesUnchanged } from "./kill.ts";
import { type Mutant, findMutants } from "./mutants.ts";

const HELP = `
  pnpm mutate                       1,000 mutants, different ones each time.
  pnpm mutate --seed S --mutants N  N mutants that S draws, the same every time.
  pnpm mutate --shard I/N           The I-th of N shards of them.
  pnpm mutate --minutes M           Stops after M minutes. Default 10.
  pnpm mutate --only PATH           Only files whose path contains PATH.

  Prints what killed the mutants of each file, and each mutant that survived.
`;

/** Files of which each mutant is loaded if these are. */
const CONTROLS = ["packages/orchestrator/src/run/timers.ts", "packages/workflows/src/replay/operations.ts"];

const SOURCES = ["packages/orchestrator/src/**/*.ts", "packages/workflows/src/replay/*.ts"];

interface Tried {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    mutants: { type: "string", default: "1000" },
    shard: { type: "string", default: "1/1" },
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  if (!(await passesUnchanged())) {
    console.error("\n  The simulator or the suites fail without a mutant. Correct that first.\n");
    process.exitCode = 1;
    return;
  }
  const texts = await readSources();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const path of CONTROLS) {
    if (await loadsReplacement(path, join(folder, "control.ts"))) continue;
    console.error(`\n  The simulator or the suites pass although ${path} cannot load. They do not load the mutants.\n`);
    process.exitCode = 1;
    return;
  }
  const all = [...texts].flatMap(([path, text]) => findMutants({ path, text }));
  const [shard = 1, shards = 1] = values.shard.split("/").map(Number);
  const drawn = draw(all, Number(values.seed), Number(values.mutants)).filter((_, at) => at % shards === shard - 1);
  console.log(`\n  Seed ${values.seed}, shard ${values.shard}: ${drawn.length} of ${all.length} mutants.\n`);
  const tried = await tryAll(drawn, texts, folder);
  printVerdicts(tried);
  for (const { mutant, verdict } of tried)
    if (verdict === "survived") console.log(`  ${describe(mutant, texts.get(mutant.path) ?? "")}`);
  const survived = tried.filter(({ verdict }) => verdict === "survived").length;
  const share = ((1 - survived / tried.length) * 100).toFixed(1);
  console.log(`\n  ${tried.length} of ${drawn.length} tried, ${survived} survived: ${share} % killed.\n`);
}

async function readSources(): Promise<Map<string, string>> {
  const paths: string[] = [];
  for await (const path of glob(SOURCES)) paths.push(path);
  const wanted = paths.filter((path) => path.includes(values.only)).toSorted((a, b) => (a < b ? -1 : 1));
  return new Map(wanted.map((path) => [path, readFileSync(path, "utf8")]));
}

/** Draws mutants without repetition. The seed determines them and their order. */
function draw(all: readonly Mutant[], seed: number, count: number): Mutant[] {
  let state = seed >>> 0;
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return all
    .map((mutant) => ({ mutant, place: next() }))
    .toSorted((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

async function tryAll(
  mutants: readonly Mutant[],
  texts: ReadonlyMap<string, string>,
  folder: string,
): Promise<Tried[]> {
  const until = performance.now() + Number(values.minutes) * 60_000;
  const tried: Tried[] = [];
  const queue = mutants.values();
  const survived = (): number => tried.filter(({ verdict }) => verdict === "survived").length;
  const progress = new ProgressLine(() => `${tried.length} of ${mutants.length} mutants, ${survived()} survived`);
  const work = async (worker: number): Promise<void> => {
    for (const mutant of queue) {
      if (performance.now() > until) return;
      const text = texts.get(mutant.path) ?? "";
      tried.push({ mutant, verdict: await killMutant(mutant, text, join(folder, `${worker}.ts`)) });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, (_, worker) => work(worker)));
  progress.end();
  return tried;
}

function printVerdicts(tried: readonly Tried[]): void {
  const files = Map.groupBy(tried, ({ mutant }) => mutant.path);
  const kinds: readonly Verdict[] = ["seeds", "suites", "time", "survived"];
  printTable(
    ["file", ...kinds],
    [...files]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, these]) => [path, ...kinds.map((kind) => these.filter(({ verdict }) => verdict === kind).length)]),
  );
}

function describe({ path, line, kind, start, end, replacement }: Mutant, text: string): string {
  const before = text.slice(start, end).replaceAll(/\s+/g, " ").slice(0, 60);
  return `${path}:${line}  ${kind}: ${before} → ${replacement.replaceAll(/\s+/g, " ").trim().slice(0, 60)}`;
}
