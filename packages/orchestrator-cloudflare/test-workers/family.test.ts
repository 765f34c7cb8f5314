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

/** Posts and reads the whole answer: one that nobody reads keeps its object in memory. */
async function post(path: string, json: unknown = {}): Promise<number> {
  const answer = await call(path, json);
  await answer.text();
  return answer.status;
}

describe("children in objects of their own", () => {
  test("CHILD1 children run in their own objects and give their results to their parent", async () => {
    await trigger("family", "p", {});
    const { output } = await untilStatus("p", "completed");
    expect(output).toMatchObject({ doubled: [2, 4, 6] });
    const detached = await untilStatus((output as { detached: string }).detached, "completed");
    expect(detached).toMatchObject({ output: 200, triggeredBy: "parent", parent: { runId: "p", detached: true } });
    expect(effects.toSorted()).toEqual(["double 1", "double 100", "double 2", "double 3"]);
  });

  test("CHILD4 parents and children that are aborted while they wait lose nothing", { timeout: 60_000 }, async () => {
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
    "CHILD4 a parent and its children that are aborted right behind the trigger still end",
    { timeout: 60_000 },
    async () => {
      await trigger("family", "p", {}, 0);
      await abortAll();
      expect(await untilStatus("p", "completed")).toMatchObject({ output: { doubled: [2, 4, 6] } });
    },
  );

  test("CHILD3 cancelling the parent cancels its attached children, although all of them were evicted", async () => {
    await trigger("family", "p", { wait: true });
    await expect.poll(() => childrenOf("p").then((ids) => ids.length), { timeout: 10_000 }).toBe(3);
    const ids = await childrenOf("p");
    for (const id of ids) await untilStatus(id, "waiting");
    await evict("p");
    expect(await post("/api/runs/p/cancel", {})).toBe(202);
    for (const id of ids) expect(await untilStatus(id, "cancelled")).toMatchObject({ error: { code: "CANCELLED" } });
  });
});

describe("undoing", () => {
  test("COMP2 a run that is cancelled after an abort replays and undoes its steps; metadata and streams are there meanwhile", async () => {
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

  test("CAN4 a run is paused and goes on over HTTP, and VER3 is deleted when it has ended", async () => {
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
