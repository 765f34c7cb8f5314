/** The relatives of a run. */
import type { RunRecord } from "@holdfast/workflows/client";
import { expect, test, vi } from "vitest";
import { entry } from "../timeline/journal.ts";

vi.stubGlobal("location", new URL("http://127.0.0.1/ui/"));
vi.stubGlobal("sessionStorage", { getItem: () => null });
const { LEVELS_MAX, childrenOf, readAncestors } = await import("../../src/family/family-data.ts");

const record = (id: string, parent?: string): RunRecord =>
  ({
    id,
    workflowId: "w",
    status: "running",
    ...(parent === undefined ? {} : { parent: { runId: parent } }),
  }) as RunRecord;

test("LIVE7 ancestors are read up to the oldest, the nearest first", async () => {
  const runs: Readonly<Record<string, RunRecord>> = { b: record("b", "a"), a: record("a") };
  const found = await readAncestors(record("c", "b"), async (id) => runs[id] ?? Promise.reject(new Error("none")));
  expect(found.map(({ id, status }) => [id, status])).toEqual([
    ["b", "running"],
    ["a", "running"],
  ]);
});

test("LIVE7 an ancestor that cannot be read is named, and ends the line", async () => {
  const found = await readAncestors(record("c", "gone"), () => Promise.reject(new Error("404")));
  expect(found).toEqual([{ id: "gone" }]);
});

test("LIVE7 lines of ancestors are bounded", async () => {
  let count = 0;
  await readAncestors(record("0", "1"), async (id) => {
    count++;
    return record(id, String(Number(id) + 1));
  });
  expect(count).toBe(LEVELS_MAX);
});

test("LIVE7 without an index the children are those of the journal, with their outcomes", () => {
  const children = childrenOf([
    entry(1, 5, "child.started", "run/0/ship", { runId: "c1" }),
    entry(2, 6, "child.started", "run/0/mail", { runId: "c2", detached: true }),
    entry(3, 99, "child.ended", "run/0/ship", { outcome: { status: "failed", runId: "c1" } }),
  ]);
  expect(children).toMatchObject([{ id: "c1", status: "failed" }, { id: "c2" }]);
});
