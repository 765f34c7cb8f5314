/** tests: the index of runs in real objects with real SQL, payloads in real R2, and concurrent duplicate requests */
import { env, runInDurableObject } from "cloudflare:test";
import type { IndexRow } from "@holdfast/orchestrator";
import { describe, expect, test } from "vitest";
import { IndexShard } from "../src/index-object/index-shard.ts";
import { call, evict, inObject, remove, signal, trigger, untilStatus } from "./api-client.ts";
import { resetAfterEach } from "./declared-output.ts";

resetAfterEach();

interface Listed {
  readonly runs: readonly { readonly id: string; readonly status: string }[];
}

async function list(query = ""): Promise<Record<string, string>> {
  const { runs }: Listed = await (await call(`/api/runs?${query}`)).json();
  return Object.fromEntries(runs.map(({ id, status }) => [id, status]));
}

describe("the index", () => {
  test("IDX1 runs in real objects are listed with their current status", async () => {
    await trigger("order", "indexed-a");
    await expect.poll(() => list()).toEqual({ "indexed-a": "waiting" });
    await signal("indexed-a", "approval", "yes");
    await untilStatus("indexed-a", "completed");
    await expect.poll(() => list("status=completed&workflowId=order")).toEqual({ "indexed-a": "completed" });
    await expect.poll(() => inObject("indexed-a", ({ storage }) => storage.getAlarm())).toBeNull();
    expect((await call("/api/runs/indexed-a", undefined, {})).status).toBe(200);
  });

  test("IDX3 a page reads a bounded number of rows in real SQL", { timeout: 180_000 }, async () => {
    const stub = env.RUN_INDEX_DO.get(env.RUN_INDEX_DO.idFromName("rows"));
    const reads = await runInDurableObject(stub, (_instance, { storage }) => {
      let rowsRead = (): number => 0;
      const counting = {
        exec: (query: string, ...bindings: unknown[]) => {
          const cursor = storage.sql.exec(query, ...bindings);
          if (query.startsWith("SELECT runs.row")) rowsRead = () => cursor.rowsRead;
          return cursor;
        },
      };
      const shard = new IndexShard(counting, Infinity);
      for (let i = 0; i < 10_000; i++) shard.upsert(rowOf(i), 0);
      return (["w3", undefined] as const).flatMap((workflowId) =>
        ([undefined, "failed", "completed"] as const).map((status) => {
          const { runs } = shard.query({ workflowId, status, order: "desc", limit: 50 });
          return [runs.length, rowsRead()] as const;
        }),
      );
    });
    for (const [found, read] of reads) {
      expect(found).toBeGreaterThan(0);
      // The platform counts a row once in the SQL index and once in the table.
      expect(read).toBeLessThanOrEqual(2 * 51);
    }
  });
});

test("OBS3 /metrics counts the runs of real SQL by an SQL index, and writes no row", { timeout: 180_000 }, async () => {
  const stub = env.RUN_INDEX_DO.get(env.RUN_INDEX_DO.idFromName("counted"));
  const seen = await runInDurableObject(stub, (_instance, { storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    let isCounting = false;
    const watched = {
      exec: (query: string, ...bindings: unknown[]) => {
        const cursor = storage.sql.exec(query, ...bindings);
        if (isCounting) cursors.push(cursor);
        return cursor;
      },
    };
    const shard = new IndexShard(watched, Infinity);
    for (let i = 0; i < 10_000; i++) shard.upsert(rowOf(i), 0);
    isCounting = true;
    const { runs, oldest } = shard.counts(0);
    const sum = (of: "rowsRead" | "rowsWritten"): number => cursors.reduce((total, cursor) => total + cursor[of], 0);
    const total = runs.flatMap(([, numbers]) => Object.values(numbers)).reduce((a, b) => a + b, 0);
    return { total, oldest, read: sum("rowsRead"), written: sum("rowsWritten") };
  });
  expect([seen.total, seen.written]).toEqual([10_000, 0]);
  expect(seen.read).toBeLessThanOrEqual(10_010);
});

test("OBS3 /metrics answers in a real deployment", async () => {
  await trigger("order", "indexed-m");
  await expect.poll(() => list()).toEqual({ "indexed-m": "waiting" });
  const answer = await call("/metrics");
  expect([answer.status, await answer.text()]).toEqual([
    200,
    expect.stringContaining('\nholdfast_runs{workflow="order",status="waiting"} 1\n'),
  ]);
});

function rowOf(i: number): IndexRow {
  return {
    id: `run-${i}`,
    version: 1,
    workflowId: `w${i % 7}`,
    status: i % 997 === 0 ? "failed" : "completed",
    tags: [],
    environment: "test",
    triggeredBy: "api",
    createdAt: i,
    updatedAt: i,
  };
}

describe("a bucket", () => {
  test("LIM1 large payloads of an ended run are moved to real R2, read as before, and removed with the run", async () => {
    const size = 1_500_000;
    await trigger("large", "bucket-1", size);
    await signal("bucket-1", "end");
    await untilStatus("bucket-1", "completed");
    await expect.poll(async () => (await env.PAYLOADS.list()).objects.length).toBe(2);
    await expect
      .poll(() => inObject("bucket-1", ({ storage }) => [...storage.kv.list({ prefix: "part/0/journal" })].length))
      .toBe(0);
    await evict("bucket-1");
    const { entries } = await (await call("/api/runs/bucket-1/journal")).json<{ entries: { value?: string }[] }>();
    expect(entries.map(({ value }) => value?.length).filter((length) => length === size)).toHaveLength(2);
    expect((await remove("bucket-1")).status).toBe(204);
    expect((await env.PAYLOADS.list()).objects).toEqual([]);
  });
});

describe("a thousand concurrent requests", () => {
  const DUPLICATES = 1_000;
  const inParallel = (send: () => Promise<Response>): Promise<Response[]> =>
    Promise.all(Array.from({ length: DUPLICATES }, send));
  const statuses = (answers: readonly Response[]): Record<number, number> => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  test("RUN2 duplicate triggers create one run", { timeout: 180_000 }, async () => {
    const body = { workflowId: "order", idempotencyKey: "one order" };
    const answers = await inParallel(() => call("/api/runs", body));
    expect(statuses(answers)).toEqual({ 201: 1, 200: DUPLICATES - 1 });
    const ids = new Set(
      (await Promise.all(answers.map((answer) => answer.json<{ id: string }>()))).map(({ id }) => id),
    );
    expect(ids.size).toBe(1);
  });

  test("WAIT3 duplicate deliveries count once", { timeout: 180_000 }, async () => {
    await trigger("order", "r1");
    const body = { name: "approval", payload: "yes", deliveryId: "d-1" };
    const answers = await inParallel(() => call("/api/runs/r1/signals", body));
    const deliveries = (await Promise.all(answers.map((answer) => answer.json<{ delivery: string }>()))).map(
      ({ delivery }) => delivery,
    );
    expect(deliveries.filter((delivery) => delivery === "resolved")).toHaveLength(1);
    expect(deliveries.filter((delivery) => delivery === "duplicate")).toHaveLength(DUPLICATES - 1);
    await untilStatus("r1", "completed");
  });

  test("CAN1 duplicate cancels end the run once", { timeout: 180_000 }, async () => {
    await trigger("order", "r1");
    const answers = await inParallel(() => call("/api/runs/r1/cancel", {}));
    const counts = statuses(answers);
    expect((counts[202] ?? 0) + (counts[409] ?? 0)).toBe(DUPLICATES);
    expect(counts[202]).toBeGreaterThanOrEqual(1);
  });

  test("RES1 duplicate resumes create one run", { timeout: 180_000 }, async () => {
    await trigger("order", "r1");
    await call("/api/runs/r1/cancel", {});
    await expect
      .poll(async () => (await (await call("/api/runs/r1")).json<{ endedAt?: number }>()).endedAt)
      .toBeDefined();
    const body = { runId: "r2", resumeFromStep: "reserve" };
    const answers = await inParallel(() => call("/api/runs/r1/resume", body));
    expect(statuses(answers)).toEqual({ 201: 1, 200: DUPLICATES - 1 });
    // The new run sends it a message, which waits while the process is busy.
    await expect
      .poll(async () => (await (await call("/api/runs/r1")).json<{ resumedBy?: string[] }>()).resumedBy)
      .toEqual(["r2"]);
  });
});
