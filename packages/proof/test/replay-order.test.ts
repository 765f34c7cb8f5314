import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { NEWEST_FLAGS, PROFILE_0, REPLAY_FLAGS, profileOf } from "@holdfast/protocol";
import { SHAPES, stepsBeforeTurn, winnersOf } from "../src/stored-runs/golden-races.ts";

/** The winners of each race, by profile and pipe. New flags add rows; an existing row never changes. */
const GOLDEN = JSON.parse(readFileSync(new URL("fixtures/replay-order.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string>
>;

const CHANGED =
  "The order of outcomes changed. Stored runs replay it, so this needs a new flag in protocol/src/replay-profile.ts that keeps the old order for runs without the flag. Do not change the recorded row.";

/** The flags of each released profile: none, and each flag with all earlier flags. */
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
      test.each(Object.entries(SHAPES))(
        "REP8 the race with %s has the recorded winners, live and on replay",
        async (name, shape) => {
          const { live, replayed } = await winnersOf(shape, options);
          expect(live, CHANGED).toBe(golden[name]);
          expect(replayed, CHANGED).toBe(golden[name]);
        },
      );
    });

    test("REP8 an event-loop turn of the function comes after the recorded number of steps, live and on replay", async () => {
      const counts = await stepsBeforeTurn({ remote: false, replayFlags: { newest: flags } });
      expect(counts, CHANGED).toBe(GOLDEN[`${profile}, inline`]?.["steps before a turn"]);
    });
  },
);

test("REP8 the newest flags are the flags of the table, and every set of them has a profile", () => {
  expect(REPLAY_FLAGS.map(({ id }) => id)).toEqual(NEWEST_FLAGS);
  expect(profileOf(NEWEST_FLAGS)).toBeDefined();
  expect(profileOf([])).toEqual(PROFILE_0);
  // The races do not distinguish all numbers: 255 short pauses in a row have the same winners as 256.
  expect(PROFILE_0, CHANGED).toEqual({
    shortTicks: 24,
    atOnceTicks: 10,
    shortInARowMax: 256,
    dueWaitsEndAtOnce: false,
    negativeIsPast: false,
    patternsAreChecked: false,
    waitsAreUsedOnce: false,
    cleansUp: false,
    randomnessIsKeyed: false,
  });
  expect(profileOf([1, 999])).toBeUndefined();
});
