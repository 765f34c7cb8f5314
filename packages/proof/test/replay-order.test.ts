import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NEWEST_FLAGS, PROFILE_0, REPLAY_FLAGS, profileOf } from "@holdfast/protocol";
import { SHAPES, stepsBeforeTurn, winnersOf } from "../src/stored-runs/golden-races.ts";

/** By profile and pipe, who wins each race. Rows are added with new flags; a row that is there never changes. */
const GOLDEN = JSON.parse(readFileSync(new URL("fixtures/replay-order.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string>
>;

const CHANGED =
  "The order of outcomes changed. Stored runs replay it, so this needs a new flag in protocol/src/replay-profile.ts that keeps the old order for runs without the flag. Do not change the recorded row.";

/** The released profiles: runs without flags, and each flag with all before it. */
const PROFILES = [[], ...REPLAY_FLAGS.map((_flag, at) => REPLAY_FLAGS.slice(0, at + 1).map(({ id }) => id))];

describe.each(PROFILES.map((flags) => ({ flags, profile: `flags ${JSON.stringify(flags)}` })))(
  "the order of outcomes with $profile",
  ({ flags, profile }) => {
    describe.each([
      { pipe: "inline", remote: false },
      { pipe: "across a pipe", remote: true },
    ])("$pipe", ({ pipe, remote }) => {
      const golden = GOLDEN[`${profile}, ${pipe}`] ?? {};
      const options = { remote, replayFlags: { newest: flags } };
      test.each(Object.entries(SHAPES))("REP8 %s wins as recorded, live and on replay", async (name, shape) => {
        const { live, replayed } = await winnersOf(shape, options);
        expect(live, CHANGED).toBe(golden[name]);
        expect(replayed, CHANGED).toBe(golden[name]);
      });
    });

    test("REP8 a turn of the function's own comes after the recorded number of steps, live and on replay", async () => {
      const counts = await stepsBeforeTurn({ remote: false, replayFlags: { newest: flags } });
      expect(counts, CHANGED).toBe(GOLDEN[`${profile}, inline`]?.["steps before a turn"]);
    });
  },
);

test("REP8 every flag of the newest set has a row that says why, and the engine knows it", () => {
  expect(REPLAY_FLAGS.map(({ id }) => id)).toEqual(NEWEST_FLAGS);
  expect(profileOf(NEWEST_FLAGS)).toBeDefined();
  expect(profileOf([])).toEqual(PROFILE_0);
  expect(profileOf([1, 999])).toBeUndefined();
});
