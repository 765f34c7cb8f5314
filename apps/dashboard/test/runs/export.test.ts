/** The file of a list: its formats, a stop, a failure. */
import type { ListedRun } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { exportRuns, headOf, lineOf } from "../../src/runs/export.ts";

const RUN: ListedRun = {
  id: "order-1",
  workflowId: "order",
  workflowVersion: "2",
  status: "failed",
  error: { message: 'a "quoted"\nline', code: "E1" },
  tags: ["vip", "eu"],
  environment: "production",
  triggeredBy: "ann",
  createdAt: Date.UTC(2026, 0, 5),
  updatedAt: Date.UTC(2026, 0, 5),
};

async function* runs(count: number, fails = false): AsyncGenerator<ListedRun, void> {
  for (let index = 0; index < count; index++) yield { ...RUN, id: `run-${index}` };
  if (fails) throw new Error("lost");
}

/** Reads CSV as the programs do that open it. */
function cells(line: string): string[] {
  return [...line.matchAll(/"((?:[^"]|"")*)"(?:,|\r\n)/g)].map(([, cell = ""]) => cell.replaceAll('""', '"'));
}

test("LIVE5 a row of CSV has a cell for each column, and every value is text", () => {
  const [head, row] = [cells(headOf("csv")), cells(lineOf(RUN, "csv"))];
  expect(row.length).toBe(head.length);
  const value = Object.fromEntries(head.map((name, index) => [name, row[index]]));
  expect(value).toMatchObject({
    id: "order-1",
    errorMessage: 'a "quoted"\nline',
    tags: "vip eu",
    createdAt: "2026-01-05T00:00:00.000Z",
    endedAt: "",
  });
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|'/c calc'!A0", '="",1'])(
  "LIVE5 %j in a cell of CSV is no formula",
  (id) => {
    expect(cells(lineOf({ ...RUN, id }, "csv"))[0]).toBe(`'${id}`);
  },
);

test("LIVE5 a line of NDJSON is the run as the API shows it", () => {
  const line = lineOf({ ...RUN, id: "=1" }, "ndjson");
  expect(JSON.parse(line)).toEqual({ ...RUN, id: "=1" });
  expect(line.indexOf("\n")).toBe(line.length - 1);
});

test("LIVE5 an export counts while it reads, and the file has every run", async () => {
  const counts: number[] = [];
  const { signal } = new AbortController();
  const { count, state, file } = await exportRuns(runs(2_500), "ndjson", { signal, onCount: (n) => counts.push(n) });
  expect([count, state, counts.includes(1_000), counts.at(-1)]).toEqual([2_500, "done", true, 2_500]);
  expect((await file.text()).trim().split("\n").length).toBe(2_500);
});

test("LIVE5 an export that is stopped, or fails, has what was read", async () => {
  const controller = new AbortController();
  const stop = (n: number): void => {
    if (n >= 100) controller.abort();
  };
  const stopped = await exportRuns(runs(5_000), "csv", { signal: controller.signal, onCount: stop });
  expect([stopped.state, stopped.count]).toEqual(["stopped", 100]);
  expect((await stopped.file.text()).split("\r\n").length).toBe(102);
  const failed = await exportRuns(runs(3, true), "ndjson", { signal: new AbortController().signal, onCount: () => {} });
  expect([failed.state, failed.count, String(failed.error)]).toEqual(["failed", 3, "Error: lost"]);
});
