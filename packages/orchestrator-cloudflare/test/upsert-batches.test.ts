/**
 * The batches of rows for the index.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BATCH_ROWS, UpsertBatches } from "../src/index-object/upsert-batches.ts";

function rowOf(id: string, version = 1, tenantId?: string): IndexRow {
  const row = {
    id,
    version,
    workflowId: "w",
    status: "running",
    tags: [],
    environment: "e",
    triggeredBy: "t",
  } as const;
  return { ...row, tenantId, createdAt: 1, updatedAt: 1 };
}

class Calls {
  readonly sent: string[][] = [];
  answers: (() => Promise<void>)[] = [];
  readonly batches: UpsertBatches = new UpsertBatches((rows) => {
    this.sent.push(rows.map(({ id, version }) => `${id}@${version}`));
    return this.answers.shift()?.() ?? Promise.resolve();
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function pass(ms = 40): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test("IDX1 one call has the rows of many runs, and the newest row of each", async () => {
  const { sent, batches } = new Calls();
  const all = [rowOf("a"), rowOf("b"), rowOf("a", 2), rowOf("a", 1)].map((row) => batches.upsert("g", row));
  await pass();
  await Promise.all(all);
  expect(sent).toEqual([["a@2", "b@1"]]);
});

test("IDX1 a run that ends soon after its start is one row, and an ended run waits for a moment only", async () => {
  const { sent, batches } = new Calls();
  const running = batches.upsert("g", rowOf("a"));
  await pass(10);
  const ended = batches.upsert("g", { ...rowOf("a", 2), status: "completed" });
  await pass(6);
  expect(sent).toEqual([["a@2"]]);
  await pass();
  await Promise.all([running, ended]);
  expect(sent).toEqual([["a@2"]]);
});

test("IDX1 rows of other tenants and of other time ranges have calls of their own", async () => {
  const { sent, batches } = new Calls();
  const all = [batches.upsert("g1", rowOf("a")), batches.upsert("g2", rowOf("a", 1, "t"))];
  await pass();
  await Promise.all(all);
  expect(sent).toEqual([["a@1"], ["a@1"]]);
});

test("IDX1 a call has a bounded number of rows, and every row is sent", async () => {
  const { sent, batches } = new Calls();
  const all = Array.from({ length: 2 * BATCH_ROWS + 1 }, (_, i) => batches.upsert("g", rowOf(`r${i}`)));
  await pass();
  await Promise.all(all);
  expect(sent.flat().length).toBe(2 * BATCH_ROWS + 1);
  expect(Math.max(...sent.map((rows) => rows.length))).toBeLessThanOrEqual(BATCH_ROWS);
});

test("IDX1 each run learns that the call with its row failed, and its next row is sent again", async () => {
  const { sent, batches, answers } = new Calls();
  answers.push(() => Promise.reject(new Error("no index")));
  const all = [rowOf("a"), rowOf("b")].map((row) => batches.upsert("g", row));
  const results = Promise.allSettled(all);
  await pass();
  expect((await results).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const again = batches.upsert("g", rowOf("a"));
  await pass();
  await again;
  expect(sent).toEqual([["a@1", "b@1"], ["a@1"]]);
});

test("IDX1 a row that changes while a call is in flight is sent with the next call", async () => {
  const { sent, batches, answers } = new Calls();
  const { promise, resolve } = Promise.withResolvers<void>();
  answers.push(() => promise);
  const first = batches.upsert("g", rowOf("a"));
  await pass();
  const second = batches.upsert("g", rowOf("a", 2));
  await pass();
  resolve();
  await pass();
  await Promise.all([first, second]);
  expect(sent).toEqual([["a@1"], ["a@2"]]);
});

test("IDX1 the row of a call that another object took with it when it left memory is sent again", async () => {
  const { sent, batches, answers } = new Calls();
  answers.push(() => new Promise(() => {}));
  void batches.upsert("g", rowOf("gone"));
  const other = batches.upsert("g", rowOf("b"));
  await pass(3_000);
  await other;
  expect(sent).toEqual([["gone@1", "b@1"], ["b@1"]]);
});

test("IDX1 a row of an object that left memory before its timer fired is not sent later: its run may be removed", async () => {
  const { sent, batches } = new Calls();
  const timer = vi.spyOn(globalThis, "setTimeout").mockReturnValueOnce(0 as unknown as ReturnType<typeof setTimeout>);
  void batches.upsert("g", rowOf("gone"));
  timer.mockRestore();
  await pass(3_000);
  const other = batches.upsert("g", rowOf("b"));
  await pass();
  await other;
  const again = batches.upsert("g", rowOf("gone", 2));
  await pass();
  await again;
  expect(sent).toEqual([["b@1"], ["gone@2"]]);
});
