/** Reading files that others wrote. */
import { expect, test } from "vitest";
import type { RunRecord } from "@holdfast/workflows/client";
import { readExported, writeExported } from "../../src/open/exported.ts";
import { entry } from "../timeline/journal.ts";

const RUN = {
  id: "order-1",
  workflowId: "order",
  status: "completed",
  createdAt: 1,
  tags: ["vip"],
} as unknown as RunRecord;
const LINE = writeExported({ exportedAt: 5, run: RUN, journal: [entry(1, 5, "step.completed", "step/0/a")] }).trim();
const broken = (change: object): string => JSON.stringify({ ...JSON.parse(LINE), ...change });
const problems = (text: string): string[] =>
  readExported(text).problems.map(({ line, message }) => `${line}: ${message}`);

test("LIVE9 a file has one run, a run a line, or a list, formatted or not", () => {
  for (const text of [LINE, `${LINE}\n`, `\uFEFF${LINE}\r\n`, JSON.stringify(JSON.parse(LINE), null, 2)])
    expect(readExported(text)).toMatchObject({ runs: [{ run: { id: "order-1" } }], problems: [] });
  for (const text of [`${LINE}\n\n${LINE}\n`, `[${LINE},${LINE}]`, `[\n  ${LINE},\n  ${LINE}\n]`])
    expect(readExported(text)).toMatchObject({ runs: [{}, {}], problems: [] });
});

test("LIVE9 a broken line is named, and the other runs are shown", () => {
  const { runs, problems: found } = readExported(`${LINE}\n${LINE.slice(0, 60)}\n${LINE}\n{"format":"other"}\n`);
  expect(runs.length).toBe(2);
  expect(found.map(({ line }) => line)).toEqual([2, 4]);
  expect(found[0]?.message).toContain("This is no JSON");
});

test("LIVE9 a broken formatted file names the line of the error", () => {
  const lines = JSON.stringify(JSON.parse(LINE), null, 2).split("\n");
  lines[3] = '    "id" "order-1",';
  expect(problems(lines.join("\n"))[0]).toMatch(/^4: This is no JSON/);
});

test.each([
  ["", "1: The file is empty."],
  ["[1]", "1: This is no exported run, but another JSON value."],
  [
    broken({ format: "holdfast.run/9" }),
    '1: This is no run that holdfast export wrote: its "format" is not holdfast.run/1.',
  ],
  [broken({ run: null }), '1: The field "run" is not the record of a run.'],
  [broken({ run: { ...RUN, tags: "x" } }), '1: The field "run.tags" has another type than in a record.'],
  [broken({ run: { ...RUN, status: 7 } }), '1: The field "run" has no status, or no time of creation.'],
  [broken({ exportedAt: 1e300 }), '1: The field "exportedAt" is no time.'],
  [broken({ run: { ...RUN, createdAt: 1e300 } }), '1: The field "run" has no status, or no time of creation.'],
  [broken({ journal: {} }), '1: The field "journal" is not a list.'],
  [broken({ journal: [{}] }), "1: Entry 1 of the journal has no number, time, type or operation."],
  [broken({ audit: 1 }), '1: The field "audit" is not a list.'],
])("LIVE9 the file %s is refused with a reason", (text, problem) => {
  expect(problems(text)).toEqual([problem]);
});

test("LIVE9 a record without fields of newer versions is completed, and the journal sorted", () => {
  const journal = [entry(2, 6, "x", "step/0/b"), entry(1, 5, "x", "step/0/a")];
  const [file] = readExported(writeExported({ exportedAt: 5, run: RUN, journal })).runs;
  expect(file).toMatchObject({ run: { tags: ["vip"], why: [], streams: {} }, journal: [{ seq: 1 }, { seq: 2 }] });
});
