import { note } from "@holdfast/proof/output";
import { expect, test } from "vitest";
import {
  BUGS,
  type BugName,
  FRAME_SEEDS,
  TURN_SEEDS,
  makeScenario,
  type SeedBatch,
  SeedPool,
  runScenario,
  shrink,
  simulate,
} from "../src/index.ts";
import { FRAME_FAULTS, TURN_FAULTS } from "../src/simulator/pipes.ts";
import { FOUND } from "./found-scenarios.ts";
import { FOUND_WITH_LIMITS } from "./found-with-limits.ts";
import { FOUND_WITH_TURNS } from "./found-with-turns.ts";

/** The least number of new seeds in each test run; `pnpm simulate --from <seed>` repeats them. */
const FRESH = 3_000;
/** More seeds follow until everything of `EXERCISED` has occurred. Its rarest part is in one of about 1,000 seeds. */
const FRESH_MAX = 15_000;

/** Everything that must occur within these seeds: a fault that never occurs would prove nothing. */
const EXERCISED =
  "all any child cleanup first group iterate late loop metadata parallel pure race release reuse sequence settled settling shared sleep step stream throw token try undo until wait"
    .split(" ")
    .map((kind) => `program: ${kind}`)
    .concat(
      ["crash before", "crash after", "zombie after", "commit fails", "commits lost", "start", "death in a body"].map(
        (fault) => `fault: ${fault}`,
      ),
      ["twice", "early", "late", "lost"].map((fault) => `fault: alarm ${fault}`),
      ["lost", "twice", "late", "answer lost"].map((fault) => `fault: message ${fault}`),
      ["cancelled", "compensated", "compensation_failed", "completed", "failed"].map((status) => `end: ${status}`),
      ["cancel", "change code", "evict", "jump", "pause", "resume", "set back", "token resolved"].map(
        (act) => `action: ${act}`,
      ),
      [
        "child deleted",
        "child expired",
        "rebuild index",
        "terminate",
        "trigger again",
        "unpause",
        "zombie",
        "delivery buffered",
        "delivery duplicate",
      ].map((act) => `action: ${act}`),
      [
        "storage: rows in parts",
        "changed code: NON_DETERMINISM",
        "pipe: always remote",
        "pipe: by turns remote",
        "action: delivery resolved",
      ],
      ["action: retry after EXECUTOR_CRASHED"],
    );

test.each(Object.entries({ ...FOUND, ...FOUND_WITH_LIMITS, ...FOUND_WITH_TURNS }))(
  "DUR4 a fault that the simulator found stays fixed: %s",
  async (_what, scenario) => {
    expect((await runScenario(scenario)).findings).toEqual([]);
  },
);

test(
  `DUR4 DUR9 REP2 random programs with random actions and faults have no finding in ${FRESH} new seeds or more`,
  { timeout: 400_000 },
  async () => {
    const from = Date.now() % 1_000_000_000;
    note(`seeds ${from} to ${from + FRESH - 1} or more; repeat with: pnpm simulate --from ${from} --seeds ${FRESH}`);
    const failed: unknown[] = [];
    const exercised = new Set<string>();
    const longest: Record<string, number> = {};
    const pool = new SeedPool();
    let done = 0;
    const batch = (result: SeedBatch, count: number): boolean => {
      done += count;
      for (const { seed, findings } of result.failed) failed.push({ seed, findings: findings.slice(0, 3) });
      for (const [what] of result.counts) exercised.add(what);
      for (const [kind, ms] of result.longest) longest[kind] = Math.max(longest[kind] ?? 0, ms);
      return done < FRESH || EXERCISED.some((what) => !exercised.has(what));
    };
    await pool.run({ from, seeds: FRESH_MAX, bug: undefined, batch });
    pool.end();
    expect(failed.slice(0, 5)).toEqual([]);
    // DUR9 was measured after faults of each kind.
    expect(longest).toEqual(expect.objectContaining({ "crash after": expect.any(Number), evict: expect.any(Number) }));
    expect(Math.max(...Object.values(longest))).toBeLessThanOrEqual(60_000);
    expect(EXERCISED.filter((what) => !exercised.has(what))).toEqual([]);
  },
);

test("DUR4 DUR11 step handlers that forget, restart and get requests twice, late or not at all leave no finding", async () => {
  const exercised = new Set<string>();
  for (let seed = TURN_SEEDS; seed < TURN_SEEDS + 500; seed++) {
    const { findings, counts } = await simulate(seed);
    expect([seed, findings]).toEqual([seed, []]);
    for (const what of counts.keys()) exercised.add(what);
  }
  const all = ["pipe: turns", "pipe: turns without sessions", ...TURN_FAULTS.map((fault) => `fault: turn ${fault}`)];
  expect(all.filter((what) => !exercised.has(what))).toEqual([]);
}, 120_000);

test("PIPE1 PIPE5 DUR4 connections that break at any frame, fall silent, and drain leave no finding", async () => {
  const exercised = new Set<string>();
  for (let seed = FRAME_SEEDS; seed < FRAME_SEEDS + 300; seed++) {
    const { findings, counts } = await simulate(seed);
    expect([seed, findings]).toEqual([seed, []]);
    for (const what of counts.keys()) exercised.add(what);
  }
  const all = ["pipe: frames", ...FRAME_FAULTS.map((fault) => `fault: frame ${fault}`)];
  expect(all.filter((what) => !exercised.has(what))).toEqual([]);
}, 120_000);

test("DUR4 one seed always gives the same trace, byte for byte", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    // One place makes both, because stored stacks name the caller.
    const traces: string[] = [];
    for (let round = 0; round < 2; round++) traces.push((await simulate(seed)).trace());
    expect([seed, traces[0]]).toEqual([seed, traces[1]]);
  }
});

test.each(Object.keys(BUGS) as BugName[])(
  "DUR4 the simulator finds the deliberate bug %j within 10,000 seeds",
  { timeout: 240_000 },
  async (bug) => {
    for (let seed = 1; seed <= 10_000; seed++) {
      const { findings } = await simulate(seed, bug);
      if (findings.length === 0) continue;
      console.log(`${bug}: seed ${seed}, ${findings[0]?.oracle}`);
      return;
    }
    expect.fail("no finding in 10,000 seeds");
  },
);

test("DUR4 a failing scenario is shrunk and still fails", async () => {
  const bug: BugName = "drop a message";
  const fails = async (scenario: ReturnType<typeof makeScenario>): Promise<boolean> =>
    (await runScenario(scenario, bug)).findings.some(({ oracle }) => oracle === "progress");
  const sizeOf = (scenario: ReturnType<typeof makeScenario>): number => JSON.stringify(scenario).length;
  let seed = 1;
  while (sizeOf(makeScenario(seed)) < 2_500 || !(await fails(makeScenario(seed)))) seed += 1;
  const small = await shrink(makeScenario(seed), fails);
  expect(await fails(small)).toBe(true);
  expect(sizeOf(small)).toBeLessThan(sizeOf(makeScenario(seed)) / 2);
});
