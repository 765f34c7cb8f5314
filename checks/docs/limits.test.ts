/** Checks that each value in the table of docs/reference/limits.md is the value of the limit. */
import { DEFAULT_LIMITS, HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { readFiles } from "../source-files.ts";

const VALUES: Readonly<Record<string, number>> = { ...LIMITS, ...HOST_LIMITS, ...DEFAULT_LIMITS };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The units that are not those of the constants. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: MINUTE_MS,
  h: HOUR_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  days: DAY_MS,
};

/** Reads a value as a page has it: `1,048,576 bytes`, `one day`, `60 s`. */
function valueOf(text: string): number {
  const [, digits = "", unit = ""] = /^(one|[\d,.]+)(?: (\w+))?/u.exec(text) ?? [];
  const number = digits === "one" ? 1 : Number(digits.replaceAll(",", ""));
  return number * (UNITS[unit] ?? 1);
}

/** The rows of the table: limits, and the value that the page has for each. Limits of one row may share their value. */
function* rows(): Generator<readonly [name: string, value: number]> {
  const [table = ""] = (readFiles("docs/reference/limits.md")[0]?.text ?? "").split("## Setting limits");
  for (const line of table.split("\n").filter((text) => text.startsWith("| `"))) {
    const [, first = "", second = ""] = line.split("|");
    const values = second.trim().split(/, (?=\d|one)/u);
    for (const [place, [, name = ""]] of [...first.matchAll(/`(\w+)`/gu)].entries())
      yield [name, valueOf(values[place] ?? values[0] ?? "")];
  }
}

test("LIM1 docs/reference/limits.md has the value of each limit", () => {
  const shown = [...rows()];
  expect(shown.length).toBeGreaterThan(100);
  expect(shown.filter(([name, value]) => VALUES[name] !== value)).toEqual([]);
});
