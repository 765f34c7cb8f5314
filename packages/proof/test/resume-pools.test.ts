/** What resumed runs take over when branches share items, as in pools of workers (RES3). */
import { note } from "@holdfast/proof/output";
import { expect, test } from "vitest";
import { LOOPS, ORDINARY, POOLS } from "./pool-shapes.ts";
import { type Played, playPool } from "./random-pools.ts";

/** The number of pools in each test run; each run plays other ones. */
const COUNT = 60;

async function playAll(kinds: typeof POOLS, from: number, count: number): Promise<Played[]> {
  const played: Played[] = [];
  for (let seed = from; seed < from + count; seed++) played.push(await playPool(seed, kinds));
  return played;
}

const swapsOf = (played: readonly Played[], from: number): string[] =>
  played.flatMap(({ kind, swaps }, place) => swaps.map((swap) => `seed ${from + place}, ${kind}: ${swap}`));

test.each(Object.entries({ POOLS, ORDINARY, LOOPS }))(
  "RES3 no operation of a resumed run gets the result of another one, in %s",
  { timeout: 240_000 },
  async (name, kinds) => {
    const from = Date.now() % 1_000_000_000;
    note(`seeds ${from} to ${from + COUNT - 1} of ${name}`);
    const played = await playAll(kinds, from, COUNT);
    expect(swapsOf(played, from)).toEqual([]);
    expect(played.reduce((sum, { resumes }) => sum + resumes, 0)).toBeGreaterThan(COUNT);
  },
);

test.each(Object.entries(POOLS))("RES3 items are not exchanged by %s", async (kind, shape) => {
  const played = await playAll({ [kind]: shape }, 1, 8);
  expect(swapsOf(played, 1)).toEqual([]);
});

test.each(["a plain sequence", "Promise.all with distinct names", "branches with distinct names"])(
  "RES3 no step executes again whose result a resumed run can take over, in %s",
  async (kind) => {
    const played = await playAll({ [kind]: ORDINARY[kind] as (typeof ORDINARY)[string] }, 1, 30);
    expect(played.flatMap(({ again }) => again)).toEqual([]);
  },
);
