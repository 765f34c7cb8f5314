/** Random worlds of runs with limits, with faults at every message and commit. */
import { expect, test } from "vitest";
import { LimitsWorld } from "../src/simulator/limits-world.ts";

const SEEDS = 60;

test("L1 L2 L3 in random worlds no limit has more bodies than places, all runs end, and everything is freed within a minute", async () => {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new LimitsWorld(seed);
    await world.run();
    expect({ seed, findings: world.findings }).toEqual({ seed, findings: [] });
    for (const [what, count] of world.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const kinds = [...counts.keys()];
  expect(kinds).toEqual(
    expect.arrayContaining(["crash before", "crash after", "commit fails", "message: late", "undescribed"]),
  );
  expect(kinds).toEqual(
    expect.arrayContaining(["end: completed", "end: cancelled", "end: compensated", "end: deadlock"]),
  );
}, 120_000);
