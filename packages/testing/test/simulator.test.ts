import { expect, test } from "vitest";
import { BUGS, type BugName, type Simulation, simulate } from "../src/index.ts";

/** Seeds that once failed, by what they found. They stay. */
const FOUND: readonly (readonly [what: string, seed: number])[] = [];

test.each(FOUND)("DUR4 the seed that found %s holds", async (_what, seed) => {
  expect((await simulate(seed)).violations).toEqual([]);
});

test(
  "DUR4 random programs, outsiders and faults: 10,000 seeds, other ones each time",
  { timeout: 300_000 },
  async () => {
    const from = Date.now() % 1_000_000_000;
    const failed: Simulation[] = [];
    for (let seed = from; seed < from + 10_000; seed++) {
      const simulation = await simulate(seed);
      if (simulation.violations.length > 0) failed.push(simulation);
    }
    console.log(`simulated the seeds ${from} to ${from + 9_999}: pnpm simulate --from ${from} --seeds 10000`);
    expect(failed.slice(0, 5).map(({ seed, violations }) => [seed, violations])).toEqual([]);
  },
);

test("DUR4 a seed decides everything: the same one twice gives the same trace", async () => {
  for (let seed = 1; seed <= 60; seed++)
    expect([seed, (await simulate(seed)).trace]).toEqual([seed, (await simulate(seed)).trace]);
});

test.each(Object.keys(BUGS) as BugName[])(
  "DUR4 the simulator finds the deliberate bug %j",
  { timeout: 120_000 },
  async (bug) => {
    for (let seed = 1; seed <= 10_000; seed++) {
      const { violations } = await simulate(seed, bug).catch(() => ({ violations: ["it broke down"] }));
      if (violations.length > 0) return;
    }
    expect.fail("10,000 seeds did not find it");
  },
);
