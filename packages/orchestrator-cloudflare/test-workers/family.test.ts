import { beforeEach, describe, expect, test } from "vitest";
import { type RunRecord, call, evict, read, signal, trigger, untilStatus } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";
import { effects } from "./workflows.ts";

beforeEach(() => {
  effects.length = 0;
});
resetAfterEach();

type Waitpoint = RunRecord["pendingWaitpoints"][number] & { readonly meta: { readonly runId: string } };

async function childrenOf(runId: string): Promise<string[]> {
  return ((await read(runId)).pendingWaitpoints as readonly Waitpoint[]).map(({ meta }) => meta.runId);
}

/** Posts and reads the whole answer: an unread answer keeps its object in memory. */
async function post(path: string, json: unknown = {}): Promise<number> {
  const answer = await call(path, json);
  await answer.text();
  return answer.status;
}

describe("children in separate objects", () => {
  test("CHILD1 children run in their own objects and send their results to their parent", async () => {
    await trigger("family", "p", {});
    const { output } = await untilStatus("p", "completed");
    expect(output).toMatchObject({ doubled: [2, 4, 6] });
    const detached = await untilStatus((output as { detached: string }).detached, "completed");
    expect(detached).toMatchObject({ output: 200, triggeredBy: "parent", parent: { runId: "p", detached: true } });
    expect(effects.toSorted()).toEqual(["double 1", "double 100", "double 2", "double 3"]);
  });

  test("CHILD4 aborts of waiting parents and children lose no message", { timeout: 180_000 }, async () => {
    await trigger("family", "p", { wait: true });
    await expect.poll(() => childrenOf("p").then((ids) => ids.length), { timeout: 10_000 }).toBe(3);
    const ids = await childrenOf("p");
    for (const id of ids) await untilStatus(id, "waiting");
    for (const id of ids) {
      await abortAll();
      await signal(id, "go");
    }
    expect(await untilStatus("p", "completed")).toMatchObject({ output: { doubled: [2, 4, 6] } });
    expect(effects.filter((line) => line !== "double 100").toSorted()).toEqual(["double 1", "double 2", "double 3"]);
  });

  test(
    "RUN2 two parents and a caller share one child by its key, through aborts of all objects",
    { timeout: 180_000 },
    async () => {
      for (const parent of ["p", "q"]) await trigger("shares", parent, "key of the child");
      await expect.poll(() => childrenOf("q").then((ids) => ids.length), { timeout: 10_000 }).toBe(2);
      const [id = "", ...others] = new Set([...(await childrenOf("p")), ...(await childrenOf("q"))]);
      expect(others).toEqual([]);
      await untilStatus(id, "waiting");
      await abortAll();
      const json = { workflowId: "child", input: { n: 4, wait: true }, idempotencyKey: "key of the child" };
      const answer = await call("/api/runs", json);
      expect([answer.status, await answer.json()]).toMatchObject([200, { id, parent: { detached: false } }]);
      await signal(id, "go");
      for (const parent of ["p", "q"]) expect(await untilStatus(parent, "completed")).toMatchObject({ output: [8, 8] });
      expect(effects).toEqual(["double 4"]);
    },
  );

  test(
    "CHILD4 a parent and its children end after an abort right after the trigger",
    { timeout: 180_000 },
    async () => {
      await trigger("family", "p", {}, 0);
      await abortAll();
      expect(await untilStatus("p", "completed")).toMatchObject({ output: { doubled: [2, 4, 6] } });
    },
  );

  test("CHILD3 a cancel of an evicted parent cancels its attached children", async () => {
    await trigger("family", "p", { wait: true });
    await expect.poll(() => childrenOf("p").then((ids) => ids.length), { timeout: 10_000 }).toBe(3);
    const ids = await childrenOf("p");
    for (const id of ids) await untilStatus(id, "waiting");
    await evict("p");
    expect(await post("/api/runs/p/cancel", {})).toBe(202);
    for (const id of ids) expect(await untilStatus(id, "cancelled")).toMatchObject({ error: { code: "CANCELLED" } });
  });
});

describe("compensation", () => {
  test("COMP2 a run that is cancelled after an abort replays and compensates its steps", async () => {
    await trigger("trip", "t");
    expect(await read("t")).toMatchObject({
      status: "waiting",
      metadata: { phase: "waiting" },
      streams: { log: { chunks: 2, ended: true } },
    });
    await abortAll();
    expect(await post("/api/runs/t/cancel", { reason: "rain" })).toBe(202);
    const ended = await untilStatus("t", "cancelled");
    expect(effects).toEqual(["flight", "hotel", "undo hotel", "undo flight"]);
    expect(ended.steps).toMatchObject([
      { compensation: { status: "completed" } },
      { compensation: { status: "completed" } },
    ]);
  });

  test("CAN4 VER3 requests pause and unpause a run, and delete it after its end", async () => {
    await trigger("trip", "t");
    expect(await post("/api/runs/t/pause", {})).toBe(202);
    await evict("t");
    expect((await read("t")).status).toBe("paused");
    expect(await post("/api/runs/t/unpause", {})).toBe(202);
    expect((await read("t")).status).toBe("waiting");
    await post("/api/runs/t/cancel");
    await untilStatus("t", "cancelled");
    const { default: worker } = (await import("cloudflare:workers")).exports as unknown as { default: Fetcher };
    expect((await worker.fetch("https://holdfast.test/api/runs/t", { method: "DELETE" })).status).toBe(204);
    expect((await call("/api/runs/t")).status).toBe(404);
  });
});
