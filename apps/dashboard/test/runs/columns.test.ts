/** The columns of the list, and the numbers of its chips. */
import { afterEach, expect, test, vi } from "vitest";
import { DEFAULT_COLUMNS, chooseColumns, parseColumns, shownColumns } from "../../src/runs/columns.ts";
import { countsFor } from "../../src/runs/count-sums.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("LIVE4 the run is always a column, order and unknown names do not matter", () => {
  expect(parseColumns("created,nothing,status")).toEqual(["status", "run", "created"]);
  expect(parseColumns("nothing")).toEqual(DEFAULT_COLUMNS);
  expect(parseColumns(undefined)).toEqual(DEFAULT_COLUMNS);
});

test("LIVE4 the URL decides about the columns, then the last choice in this browser", () => {
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  expect(chooseColumns(["created", "run"])).toBe("run,created");
  expect(shownColumns(undefined)).toEqual(["run", "created"]);
  expect(shownColumns("status")).toEqual(["status", "run"]);
  expect(chooseColumns(DEFAULT_COLUMNS)).toBeUndefined();
  expect(shownColumns(undefined)).toEqual(DEFAULT_COLUMNS);
});

test("LIVE4 a browser without storage shows the default", () => {
  vi.stubGlobal("localStorage", undefined);
  expect(chooseColumns(["run"])).toBe("run");
  expect(shownColumns(undefined)).toEqual(DEFAULT_COLUMNS);
});

const COUNTS = {
  workflows: [
    { workflowId: "order", runs: { completed: 3, failed: 1 } },
    { workflowId: "bill", runs: { failed: 2 } },
  ],
  unread: 0,
};

test("LIVE4 numbers are shown for the filters that the index can count, and for no others", () => {
  expect(countsFor(COUNTS, {})).toEqual({ completed: 3, failed: 3 });
  expect(countsFor(COUNTS, { status: "failed" })).toEqual({ completed: 3, failed: 3 });
  expect(countsFor(COUNTS, { workflowId: "order" })).toEqual({ completed: 3, failed: 1 });
  expect(countsFor(COUNTS, { workflowId: "none" })).toEqual({});
  expect(countsFor(COUNTS, { tag: ["vip"] })).toBeUndefined();
  expect(countsFor(undefined, {})).toBeUndefined();
  const many = { ...COUNTS, workflows: [...COUNTS.workflows, { workflowId: "other", runs: { failed: 9 } }] };
  expect(countsFor(many, { workflowId: "rare" })).toBeUndefined();
});
