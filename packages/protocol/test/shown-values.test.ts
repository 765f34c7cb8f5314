/** Values as the HTTP API shows them. */
import { expect, test } from "vitest";
import { showValue, toJson } from "../src/index.ts";

test("LIM1 buffers, views and lists with empty places are shown, and showing stops at the budget", () => {
  const sparse: unknown[] = [];
  sparse[4_000_000_000] = 1;
  const { buffer } = Uint8Array.of(1, 2);
  expect(toJson([buffer, new DataView(buffer), Float64Array.of(0.5), sparse])).toEqual([
    "AQI=",
    "AQI=",
    [0.5],
    ["[4000000000 empty places]", 1],
  ]);
  expect(JSON.stringify(toJson(new Float64Array(1_000_000), { chars: 400 })).length).toBeLessThan(1_000);
  expect(showValue('[["Unknown",1],2]')).toBe("[unreadable]");
});
