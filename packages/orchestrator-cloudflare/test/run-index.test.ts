import type { IndexRow } from "@holdfast/orchestrator";
import { workflow } from "@holdfast/workflows";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RunQuery, bearerAuth, durableObjectIndex } from "../src/index.ts";
import { merge } from "../src/index-object/durable-object-index.ts";
import { IndexShard, toSql } from "../src/index-object/index-shard.ts";
import { FakeDeployment, FakeIndexNamespace, FakeSql, answerOf, tokenOf } from "./fake-platform.ts";

const DAY = 86_400_000;
const quick = workflow({ id: "quick", tags: ["fast"], run: (input: unknown) => input });
const patient = workflow({ id: "patient", run: (_input, ctx) => ctx.waitForSignal("go") });
const family = workflow({ id: "family", run: (_input, ctx) => ctx.invoke(quick, 1) });
const fails = workflow({ id: "fails", run: () => Promise.reject(new Error("out of stock")) });

interface Listed {
  readonly runs: readonly (Record<string, unknown> & { readonly id: string; readonly status: string })[];
  readonly nextCursor: string | null;
}

function deploy(more: Parameters<typeof deployWith>[1] = {}): ReturnType<typeof deployWith> {
  return deployWith(new FakeIndexNamespace(), more);
}

function deployWith(
  binding: FakeIndexNamespace,
  more: { retention?: { default?: "1d" | "forever"; workflows?: Record<string, "2d" | "forever"> } },
) {
  const runIndex = durableObjectIndex({ binding });
  const api = new FakeDeployment([quick, patient, family, fails], { runIndex }, undefined, { runIndex, ...more });
  const list = async (filter = ""): Promise<Listed> =>
    (await answerOf(await api.fetch(`/api/runs?${filter}`))).body as never;
  const trigger = (runId: string, workflowId: string, extra: object = {}): Promise<Response> =>
    api.fetch("/api/runs", { json: { runId, workflowId, ...extra } });
  const until = (filter: string, statuses: Record<string, string>): Promise<Listed> =>
    vi.waitFor(async () => {
      const listed = await list(filter);
      expect(Object.fromEntries(listed.runs.map(({ id, status }) => [id, status]))).toEqual(statuses);
      return listed;
    });
  return { api, binding, list, trigger, until };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a deployment with an index", () => {
  test("IDX1 lists its runs, the newest first, with the fields of a list", async () => {
    const { trigger, until } = deploy();
    await trigger("a", "quick", { tags: ["vip"] });
    await trigger("b", "patient");
    await trigger("c", "fails");
    await trigger("d", "family");
    const { runs, nextCursor } = await until("status=completed&workflowId=family", { d: "completed" }).then(() =>
      until("limit=10&createdAfter=0&workflowId=quick&tag=vip", { a: "completed" }),
    );
    expect(nextCursor).toBeNull();
    expect(runs[0]).toMatchObject({
      workflowId: "quick",
      tags: ["fast", "vip"],
      triggeredBy: "api",
      endedAt: expect.any(Number),
    });
    await until("status=waiting", { b: "waiting" });
    expect((await until("status=failed", { c: "failed" })).runs[0]).toMatchObject({
      error: { message: "out of stock" },
    });
    const children = await until("parentRunId=d", {
      [(await until("parentRunId=d&limit=1", expect.anything())).runs[0]?.id ?? ""]: "completed",
    });
    expect(children.runs[0]).toMatchObject({ parent: { runId: "d" }, workflowId: "quick" });
  });

  test("IDX1 a waiting run updates the index once, and not again when it runs for a moment", async () => {
    const { api, binding, trigger, until } = deploy();
    await trigger("b", "patient");
    await until("", { b: "waiting" });
    let asked = 0;
    binding.breaks = async () => {
      asked += 1;
      return undefined;
    };
    for (let i = 0; i < 5; i++) await api.fetch("/api/runs/b/events", { json: { eventType: "nobody waits for it" } });
    expect(asked).toBe(0);
    await api.fetch("/api/runs/b/signals", { json: { name: "go" } });
    await until("", { b: "completed" });
  });

  test("IDX2 the alarm repeats an index update that was not acknowledged", async () => {
    const { api, binding, trigger, until } = deploy();
    binding.breaks = async () => new Response("down", { status: 500 });
    await trigger("a", "quick");
    await vi.waitFor(async () =>
      expect((await answerOf(await api.fetch("/api/runs/a"))).body).toMatchObject({ status: "completed" }),
    );
    await vi.waitFor(() => expect(api.storageOf("a").alarmAt).not.toBeNull());
    binding.breaks = undefined;
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 20_000);
    await api.alarm("a");
    await until("", { a: "completed" });
    await vi.waitFor(() => expect(api.storageOf("a").alarmAt).toBeNull());
  });

  test("IDX2 the version of a row makes late and repeated updates harmless", () => {
    const shard = new IndexShard(new FakeSql(), 10);
    const row = rowOf(1);
    shard.upsert({ ...row, version: 3, status: "completed" }, 0);
    for (const version of [1, 2, 3]) shard.upsert({ ...row, version, status: "running" }, 0);
    expect(shard.query(query()).runs).toMatchObject([{ status: "completed", version: 3 }]);
  });

  test("SEC2 a tenant lists only its own runs", async () => {
    const binding = new FakeIndexNamespace();
    const runIndex = durableObjectIndex({ binding });
    const tokens = [{ token: "acme", tenantId: "acme" }, { token: "globex", tenantId: "globex" }, { token: "none" }];
    const api = new FakeDeployment(
      [quick],
      { runIndex, verifyRequest: bearerAuth(tokens.map((one) => ({ ...one, token: tokenOf(one.token) }))) },
      undefined,
      { runIndex },
    );
    const as = (token: string, path: string, json?: unknown): Promise<Response> =>
      api.fetch(path, {
        headers: { Authorization: `Bearer ${tokenOf(token)}` },
        ...(json === undefined ? {} : { json }),
      });
    for (const token of ["acme", "globex"])
      await as(token, "/api/runs", { runId: "r", workflowId: "quick", input: token });
    for (const token of ["acme", "globex"]) {
      await vi.waitFor(async () =>
        expect(await (await as(token, "/api/runs")).json()).toMatchObject({
          runs: [{ id: "r", tenantId: token, status: "completed" }],
        }),
      );
    }
    expect(await (await as("none", "/api/runs")).json()).toMatchObject({ runs: [] });
    expect((await as("acme", "/api/index/rebuild", { objectIds: ["0".repeat(64)] })).status).toBe(403);
  });

  test("VER3 a deleted run is removed from the index, also if an update of it is still in flight", async () => {
    const { api, trigger, until, list } = deploy();
    await trigger("a", "quick");
    await until("", { a: "completed" });
    expect((await api.fetch("/api/runs/a", { method: "DELETE" })).status).toBe(204);
    expect((await list()).runs).toEqual([]);
    const shard = new IndexShard(new FakeSql(), 10);
    shard.upsert(rowOf(1), 0);
    shard.remove("run-1", 1, 0);
    shard.upsert({ ...rowOf(1), version: 9 }, 0);
    expect(shard.query(query()).runs).toEqual([]);
    // A new run with the same id is listed.
    shard.upsert({ ...rowOf(1), createdAt: 2, version: 1 }, 0);
    expect(shard.query(query()).runs).toHaveLength(1);
  });

  test("VER3 ended runs are deleted after the retention of their workflow, from object and index", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 50 * DAY });
    const { api, trigger, until, list } = deploy({ retention: { default: "1d", workflows: { patient: "forever" } } });
    await trigger("a", "quick");
    await trigger("b", "patient");
    await until("", { a: "completed", b: "waiting" });
    await api.fetch("/api/runs/b/cancel", { json: {} });
    await until("", { a: "completed", b: "cancelled" });
    // `waitFor` advances the clock.
    await vi.waitFor(() => expect((api.storageOf("a").alarmAt ?? 0) - 51 * DAY).toBeGreaterThanOrEqual(0));
    expect(api.storageOf("b").alarmAt).toBeNull();
    vi.setSystemTime(api.storageOf("a").alarmAt ?? 0);
    await api.alarm("a");
    expect((await api.fetch("/api/runs/a")).status).toBe(404);
    expect(api.storageOf("a").rows.size).toBe(0);
    expect((await list()).runs.map(({ id }) => id)).toEqual(["b"]);
  });

  test("IDX4 runs report to a lost index again", async () => {
    const { api, binding, trigger, until, list } = deploy();
    await trigger("a", "quick");
    await trigger("b", "patient");
    await until("", { a: "completed", b: "waiting" });
    binding.shards.clear();
    expect((await list()).runs).toEqual([]);
    const answer = await api.fetch("/api/index/rebuild", { json: { runIds: ["a", "b", "unknown"] } });
    expect(await answerOf(answer)).toEqual({ status: 202, body: { told: 2, unknown: 1 } });
    await until("", { a: "completed", b: "waiting" });
  });

  test("IDX5 many runs are cancelled in one request, by a filter or by ids, and each refusal is reported", async () => {
    const { api, trigger, until } = deploy();
    for (const id of ["a", "b", "c"]) await trigger(id, "patient", { tags: [id] });
    await until("", { a: "waiting", b: "waiting", c: "waiting" });
    const bulk = async (json: unknown): Promise<unknown> =>
      (await answerOf(await api.fetch("/api/runs/bulk", { json }))).body;
    expect(await bulk({ action: "cancel", ids: ["a", "nobody"] })).toEqual({
      asked: 2,
      done: 1,
      refused: [{ id: "nobody", error: "not_found", message: "There is no such run." }],
      nextCursor: null,
    });
    await until("status=cancelled", { a: "cancelled" });
    expect(await bulk({ action: "cancel", filter: { status: "waiting" }, reason: "closing" })).toMatchObject({
      done: 2,
      nextCursor: null,
    });
    await until("", { a: "cancelled", b: "cancelled", c: "cancelled" });
    for (const bad of [
      { action: "cancel" },
      { action: "cancel", ids: [], filter: {} },
      { action: "melt", ids: ["a"] },
      { action: "retry", ids: ["a"], filter: {} },
    ])
      expect((await api.fetch("/api/runs/bulk", { json: bad })).status).toBe(400);
  });

  test("IDX1 without an index a list answers 501, and all other routes work", async () => {
    const api = new FakeDeployment([quick]);
    for (const [path, json] of [
      ["/api/runs", undefined],
      ["/api/runs/bulk", { action: "retry", filter: {} }],
      ["/api/index/rebuild", {}],
    ] as const)
      expect(await answerOf(await api.fetch(path, json === undefined ? {} : { json }))).toMatchObject({
        status: 501,
        body: { error: "index_not_configured" },
      });
  });

  test.each([
    "status=asleep",
    "limit=0",
    "limit=201",
    "order=up",
    "colour=red",
    "createdAfter=yesterday",
    "cursor=nonsense",
    "cursor=1.%21",
    "workflowId=",
  ])("LIM2 the query %s is rejected", async (invalid) => {
    const { api } = deploy();
    expect(await answerOf(await api.fetch(`/api/runs?${invalid}`))).toMatchObject({
      status: 400,
      body: { error: "invalid_query" },
    });
  });
});

describe("pages", () => {
  test("IDX3 pages are stable while runs are added, removed and changed between them", async () => {
    const { api, binding, list } = deploy();
    const index = durableObjectIndex({ binding, bucketMs: 10 });
    for (let i = 0; i < 60; i++) await index.upsert(rowOf(i));
    const seen: string[] = [];
    const pages = durableObjectIndex({ binding, bucketMs: 10 });
    let after: RunQuery["after"];
    for (let page = 0; page === 0 || after !== undefined; page++) {
      const found = await pages.query(undefined, query({ limit: 7, after }));
      seen.push(...found.runs.map(({ id }) => id));
      after = found.next;
      await index.upsert(rowOf(100 + page));
      await index.upsert({ ...rowOf(30), version: page + 5, status: "failed" });
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_none, i) => `run-${59 - i}`));
    expect(await list("limit=1")).toMatchObject({ nextCursor: expect.anything() });
    expect(api).toBeDefined();
  });

  test("IDX3 after a full shard another one is used, and a run stays in its shard", async () => {
    const binding = new FakeIndexNamespace();
    const index = durableObjectIndex({ binding, shardRowsMax: 5 });
    for (let i = 0; i < 23; i++) await index.upsert(rowOf(i));
    for (let i = 0; i < 23; i++) await index.upsert({ ...rowOf(i), version: 2, status: "completed" });
    expect(binding.shards.size).toBe(6);
    const { runs } = await index.query(undefined, query({ limit: 200, order: "asc" }));
    expect(runs.map(({ id, status }) => [id, status])).toEqual(
      Array.from({ length: 23 }, (_none, i) => [`run-${i}`, "completed"]),
    );
    await index.remove({ id: "run-17", createdAt: 17 });
    expect((await index.query(undefined, query({ limit: 200 }))).runs).toHaveLength(22);
  });

  test("IDX3 for any division into shards, the pages contain the matching runs in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(60), workflow: fc.nat(2), status: fc.nat(1), tags: fc.subarray(["x", "y"]) }), {
          maxLength: 40,
        }),
        fc.record({
          limit: fc.integer({ min: 1, max: 9 }),
          asc: fc.boolean(),
          workflow: fc.option(fc.nat(2)),
          status: fc.option(fc.nat(1)),
          tags: fc.subarray(["x", "y"]),
          from: fc.option(fc.nat(60)),
          to: fc.option(fc.nat(60)),
        }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 10 }),
        async (made, wanted, bucketMs, shardRowsMax) => {
          const index = durableObjectIndex({ binding: new FakeIndexNamespace(), bucketMs, shardRowsMax });
          const rows = made.map(({ at, workflow: nth, status, tags }, i): IndexRow => ({
            ...rowOf(i),
            createdAt: at,
            workflowId: `w${nth}`,
            status: status === 0 ? "failed" : "waiting",
            tags,
          }));
          for (const row of rows) await index.upsert(row);
          const filter = query({
            limit: wanted.limit,
            order: wanted.asc ? "asc" : "desc",
            tags: wanted.tags,
            ...(wanted.workflow === null ? {} : { workflowId: `w${wanted.workflow}` }),
            ...(wanted.status === null ? {} : { status: wanted.status === 0 ? "failed" : "waiting" }),
            ...(wanted.from === null ? {} : { createdAfter: wanted.from }),
            ...(wanted.to === null ? {} : { createdBefore: wanted.to }),
          });
          const seen: string[] = [];
          let after: RunQuery["after"];
          for (let page = 0; page === 0 || after !== undefined; page++) {
            if (page > 200) throw new Error("the pages do not end");
            const found = await index.query(undefined, { ...filter, after });
            expect(found.runs.length).toBeLessThanOrEqual(wanted.limit);
            seen.push(...found.runs.map(({ id }) => id));
            after = found.next;
          }
          const right = rows.filter(
            (row) =>
              (filter.workflowId === undefined || row.workflowId === filter.workflowId) &&
              (filter.status === undefined || row.status === filter.status) &&
              wanted.tags.every((tag) => row.tags.includes(tag)) &&
              row.createdAt >= (filter.createdAfter ?? 0) &&
              row.createdAt < (filter.createdBefore ?? Infinity),
          );
          right.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
          if (!wanted.asc) right.reverse();
          expect(seen).toEqual(right.map(({ id }) => id));
        },
      ),
      { numRuns: 150, seed: randomSeed() },
    );
  });

  test("IDX3 a page ends at the position where a shard stopped", () => {
    const page = merge(
      [
        { runs: [rowOf(9)], stoppedAt: { createdAt: 5, id: "run-5" } },
        { runs: [rowOf(8), rowOf(3)], stoppedAt: undefined },
      ],
      { limit: 10, order: "desc" },
    );
    expect(page).toMatchObject({ runs: [{ id: "run-9" }, { id: "run-8" }], next: { createdAt: 5 } });
  });

  test(
    "IDX3 with 100,000 runs a filtered page reads a bounded number of rows, by an index",
    { timeout: 180_000 },
    () => {
      const sql = new FakeSql();
      const shard = new IndexShard(sql, Infinity);
      sql.exec("BEGIN");
      for (let i = 0; i < 100_000; i++) {
        const rare = i % 9_973 === 0;
        shard.upsert(
          { ...rowOf(i), workflowId: `w${i % 7}`, status: rare ? "failed" : "completed", tags: rare ? ["rare"] : [] },
          0,
        );
      }
      sql.exec("COMMIT");
      const reads = (filter: Partial<RunQuery>): number => {
        const before = sql.rowsRead;
        shard.query(query({ limit: 50, ...filter }));
        return sql.rowsRead - before;
      };
      expect(reads({})).toBeLessThanOrEqual(51);
      expect(reads({ workflowId: "w3" })).toBeLessThanOrEqual(51);
      expect(reads({ status: "failed" })).toBeLessThanOrEqual(51);
      expect(reads({ workflowId: "w3", status: "failed" })).toBeLessThanOrEqual(51);
      expect(reads({ tags: ["rare"] })).toBeLessThanOrEqual(51);
      expect(reads({ after: { createdAt: 50_000, id: "run-50000" } })).toBeLessThanOrEqual(51);
      // No SQL index covers both conditions: the read stops at its budget, and `stoppedAt` is set.
      expect(reads({ tags: ["rare"], status: "completed" })).toBeLessThanOrEqual(1_001);
      expect(reads({ workflowId: "w3", tags: ["none"] })).toBeLessThanOrEqual(1_001);
      for (const filter of [
        {},
        { workflowId: "w3" },
        { status: "failed" } as const,
        { tags: ["rare"] },
        { parentRunId: "p" },
        { createdAfter: 5, createdBefore: 9 },
        { after: { createdAt: 5, id: "x" }, workflowId: "w3", status: "failed" as const },
      ]) {
        const { statement, values } = toSql(query(filter));
        const plan = sql.plan(statement, ...values, 10);
        expect(plan).toMatch(/SEARCH|SCAN runs USING (COVERING )?INDEX runs_by_creation/);
        expect(plan).not.toContain("TEMP B-TREE");
      }
    },
  );
});

function rowOf(i: number): IndexRow {
  return {
    id: `run-${i}`,
    version: 1,
    workflowId: "w",
    status: "running",
    tags: [],
    environment: "test",
    triggeredBy: "api",
    createdAt: i,
    updatedAt: i,
  };
}

function query(more: Partial<RunQuery> = {}): RunQuery {
  return { order: "desc", limit: 50, ...more };
}

test.each([
  ["it was removed", 1_900, 900],
  ["it was created", 500, 600],
])("VER3 a run with the id of a removed one is listed, also if the clock was set back after %s", (_, at, again) => {
  const shard = new IndexShard(new FakeSql(), 10);
  shard.upsert({ ...rowOf(1), createdAt: 1_000 }, 1_000);
  shard.remove("run-1", 1_000, at);
  // Late rows of the removed run, and of one before it.
  for (const createdAt of [1_000, 400]) shard.upsert({ ...rowOf(1), createdAt, version: 9 }, Math.max(at, 600));
  expect(shard.query(query()).runs).toEqual([]);
  shard.upsert({ ...rowOf(1), createdAt: again, version: 1 }, again);
  expect(shard.query(query()).runs).toMatchObject([{ createdAt: again }]);
});
