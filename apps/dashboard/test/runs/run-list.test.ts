/** The rows of the list while runs start, change and leave the filter. */
import type { ListedRun, RunStatus } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { RunList } from "../../src/runs/run-list.ts";

function run(createdAt: number, status: RunStatus = "running", updatedAt = createdAt): ListedRun {
  return {
    id: `run-${createdAt}`,
    workflowId: "order",
    workflowVersion: null,
    status,
    tags: [],
    environment: "production",
    triggeredBy: "ann",
    createdAt,
    updatedAt,
  };
}

const range = (from: number, to: number): ListedRun[] =>
  Array.from({ length: from - to + 1 }, (_, index) => run(from - index));
const ids = (list: RunList): string[] => (list.rows.value ?? []).map(({ createdAt }) => String(createdAt));

test("LIVE4 new runs are counted and move no row, until the reader shows them", () => {
  const list = new RunList({});
  list.takeNewest({ runs: range(3, 1), nextCursor: null });
  list.takeNewest({ runs: range(5, 1), nextCursor: null });
  expect([ids(list), list.fresh.value.length]).toEqual([["3", "2", "1"], 2]);
  list.showFresh();
  expect([ids(list), list.fresh.value.length]).toEqual([["5", "4", "3", "2", "1"], 0]);
});

test("LIVE4 a row changes in place, and an older answer changes nothing", () => {
  const list = new RunList({});
  list.takeNewest({ runs: [run(2), run(1)], nextCursor: null });
  list.takeNewest({ runs: [run(2), run(1, "completed", 9)], nextCursor: null });
  list.takeNewest({ runs: [run(2), run(1)], nextCursor: null });
  expect(list.rows.value?.map(({ status }) => status)).toEqual(["running", "completed"]);
});

test("LIVE4 a run that leaves the filter stays, marked, until the reader shows the new ones", () => {
  const list = new RunList({ status: "running" });
  list.takeNewest({ runs: range(3, 1), nextCursor: null });
  list.takeNewest({ runs: [run(4), run(3), run(1)], nextCursor: null });
  expect([ids(list), [...list.left.value]]).toEqual([["3", "2", "1"], ["run-2"]]);
  list.showFresh();
  expect([ids(list), list.left.value.size]).toEqual([["4", "3", "1"], 0]);
});

test("LIVE4 rows beyond the newest page are not taken for runs that left", () => {
  const list = new RunList({});
  list.takeNewest({ runs: range(100, 51), nextCursor: "c" });
  list.takeOlder({ runs: range(50, 1), nextCursor: null }, "c");
  list.takeNewest({ runs: range(101, 52), nextCursor: "c" });
  expect([list.rows.value?.length, list.left.value.size, list.fresh.value.length, list.limit]).toEqual([
    100, 0, 1, 150,
  ]);
});

test("LIVE4 more new runs than a page are not a gap in the list: it begins again", () => {
  const list = new RunList({});
  list.takeNewest({ runs: range(50, 1), nextCursor: null });
  list.takeNewest({ runs: range(500, 451), nextCursor: "c" });
  expect([list.hasMoreFresh.value, ids(list).length]).toEqual([true, 50]);
  list.showFresh();
  expect([ids(list)[0], ids(list).at(-1), list.cursor.value]).toEqual(["500", "451", "c"]);
});

test("LIVE4 an empty page with a cursor does not end the search for older runs", () => {
  const list = new RunList({ tag: ["rare"] });
  list.takeNewest({ runs: [], nextCursor: "a" });
  list.takeOlder({ runs: [], nextCursor: "b" }, "a");
  list.takeNewest({ runs: [], nextCursor: "a" });
  expect(list.cursor.value).toBe("b");
  list.takeOlder({ runs: [run(1)], nextCursor: null }, "b");
  expect([ids(list), list.cursor.value]).toEqual([["1"], null]);
});

test("LIVE4 a run of two overlapping pages is shown once", () => {
  const list = new RunList({});
  list.takeNewest({ runs: range(9, 5), nextCursor: "c" });
  list.takeOlder({ runs: range(6, 1), nextCursor: null }, "c");
  expect(ids(list)).toEqual(["9", "8", "7", "6", "5", "4", "3", "2", "1"]);
});

test("LIVE4 an older page that arrives after the list began again leaves no gap", () => {
  const list = new RunList({});
  list.takeNewest({ runs: range(100, 51), nextCursor: "51" });
  list.takeNewest({ runs: range(500, 451), nextCursor: "451" });
  list.showFresh();
  list.takeOlder({ runs: range(50, 1), nextCursor: null }, "51");
  expect([ids(list).length, ids(list).at(-1), list.cursor.value]).toEqual([50, "451", "451"]);
});
