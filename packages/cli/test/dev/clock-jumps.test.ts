/** tests: a clock that jumps */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchClock } from "../../src/dev/clock-jumps.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("DEV2 a jump forward is reported once, and small steps and a clock that is set back are not", () => {
  let ahead = 0;
  const jumps: number[] = [];
  const end = watchClock((ms) => jumps.push(ms), {
    wall: () => 1_000_000 + Date.now() + ahead,
    steady: () => Date.now(),
  });
  const pass = (step: number): void => {
    ahead += step;
    vi.advanceTimersByTime(6_000);
  };
  for (let n = 0; n < 3; n++) pass(1_000);
  expect(jumps).toEqual([]);
  pass(3_600_000);
  pass(0);
  expect(jumps).toEqual([3_603_000]);
  pass(-3_600_000);
  expect(jumps).toHaveLength(1);
  pass(60_000);
  expect(jumps).toEqual([3_603_000, 60_000]);
  end();
  pass(60_000);
  expect(jumps).toHaveLength(2);
});
