import { expect, test } from "vitest";
import { alarmToSet, isAlarmLost } from "../src/host/alarm.ts";

test.each([
  ["a time in the future", 2_000, undefined, 2_000],
  ["now", 1_000, undefined, 1_001],
  ["a past time", 10, undefined, 1_001],
  ["now, when the alarm in flight was due now", 1_000, 1_000, 1_001],
  ["now, when the alarm in flight fired 1 ms early", 1_000, 1_001, 1_002],
  ["the time of an alarm that fired early", 2_000, 2_000, 2_001],
  ["a time before the alarm in flight", 1_500, 2_000, 1_500],
])("DUR5 an alarm for %s is set to a time that the platform takes", (_which, wanted, inFlight, set) => {
  expect(alarmToSet(wanted, { now: 1_000, inFlight })).toBe(set);
});

test("DUR5 an alarm is lost if there is none, or if its time passed more than seconds ago", () => {
  expect([null, 0, 94_999, 95_000, 200_000].map((stored) => isAlarmLost(stored, 100_000))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
