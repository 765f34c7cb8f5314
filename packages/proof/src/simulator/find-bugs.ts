/**
 * `pnpm simulate --bugs`: how many seeds it takes to find each deliberate bug.
 *
 * Owns: the search, and the table.
 */
import { paint, printTable } from "@holdfast/local-runtime/terminal";
import type { BugName } from "./bugs.ts";
import type { SeedPool } from "./seed-pool.ts";

/** The number of seeds within which each bug must be found. */
const SEEDS_PER_BUG_MAX = 10_000;
/** The number of findings whose distances give the median. */
const FINDINGS = 9;

interface Search {
  readonly bug: BugName;
  /** The number of seeds before each finding, from the previous one. */
  readonly distances: readonly number[];
  readonly oracles: ReadonlySet<string>;
}

/** Searches for each of the bugs, and prints the median number of seeds to a finding. Returns whether all were found. */
export async function findBugs(pool: SeedPool, from: number, bugs: readonly BugName[]): Promise<boolean> {
  const searches: Search[] = [];
  for (const bug of bugs) searches.push(await search(pool, bug, from));
  printTable(
    ["deliberate bug", "first", "median seeds", "oracles"],
    searches.map(({ bug, distances, oracles }) => [
      bug,
      distances[0] ?? `not within ${SEEDS_PER_BUG_MAX}`,
      median(distances),
      [...oracles].toSorted((a, b) => (a < b ? -1 : 1)).join(", "),
    ]),
  );
  const missed = searches.filter(({ distances }) => distances.length === 0);
  if (missed.length === 0)
    console.log(
      `\n  ${paint(["green", "bold"], `${searches.length} bugs found.`)} Repeat with: --bugs --from ${from}\n`,
    );
  else console.error(`\n  ${paint(["red", "bold"], `${missed.length} of ${searches.length} bugs not found.`)}\n`);
  return missed.length === 0;
}

async function search(pool: SeedPool, bug: BugName, from: number): Promise<Search> {
  const found: number[] = [];
  const oracles = new Set<string>();
  await pool.run({
    from,
    seeds: SEEDS_PER_BUG_MAX,
    bug,
    batch: ({ failed }) => {
      for (const { seed, findings } of failed) {
        found.push(seed);
        for (const { oracle } of findings) oracles.add(oracle);
      }
      return found.length < FINDINGS;
    },
  });
  const seeds = found.toSorted((a, b) => a - b);
  return { bug, distances: seeds.map((seed, place) => seed - (seeds[place - 1] ?? from - 1)), oracles };
}

function median(distances: readonly number[]): number | string {
  return distances.toSorted((a, b) => a - b)[Math.floor(distances.length / 2)] ?? "";
}
