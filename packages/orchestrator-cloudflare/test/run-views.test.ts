/** tests: the views of a run, and what an answer in each of them reads (API7) */
import { workflow } from "@holdfast/workflows";
import { ApiError, RunFailedError, createClient } from "@holdfast/workflows/client";
import type { RunOverview, RunRecord, RunResult } from "@holdfast/workflows/client";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const long = workflow({
  id: "long",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("turn", () => `result ${i}`);
    await ctx.waitForSignal("go");
    return { n };
  },
});
const retries = workflow({
  id: "retries",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("turn", () => i);
    const retry = { max: 3, initial: "1h", maxDelay: "1h" } as const;
    await ctx.step("flaky", { retry }, () => Promise.reject(new Error("no")));
  },
});
const fails = workflow({
  id: "fails",
  run: (_input, ctx) => ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))),
});

const deploy = (): FakeDeployment => new FakeDeployment([long, retries, fails]);
const wait = { headers: { Prefer: "wait=5" } };

async function read(api: FakeDeployment, path: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return (await answerOf(await api.fetch(`/api/runs/${path}`, init))).body;
}

async function start(api: FakeDeployment, runId: string, workflowId: string, input: unknown): Promise<void> {
  await api.fetch("/api/runs?view=result", { json: { runId, workflowId, input }, ...wait });
}

async function ended(n: number): Promise<FakeDeployment> {
  const api = deploy();
  await start(api, "r", "long", n);
  await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
  expect(await read(api, "r?view=result", wait)).toEqual({ id: "r", status: "completed", output: { n } });
  return api;
}

describe("a view", () => {
  test("API7 summary is the record without steps and streams, and result the status, the output and the error", async () => {
    const api = await ended(3);
    const record = await read(api, "r");
    expect(await read(api, "r?view=record")).toEqual(record);
    const { steps, streams, ...others } = record;
    expect([steps, streams]).toEqual([expect.objectContaining({ length: 3 }), {}]);
    expect(await read(api, "r?view=summary")).toEqual(others);
    expect(others).toMatchObject({ input: 3, output: { n: 3 }, why: [{ code: "COMPLETED" }] });
    await start(api, "f", "fails", null);
    const { id, status, error } = await read(api, "f");
    expect(await read(api, "f?view=result")).toEqual({ id, status, error });
    expect(error).toMatchObject({ message: "no", step: "bad" });
  });

  test("API7 an answer that waits for the end, and that of a trigger or a resume, is in the requested view", async () => {
    const api = deploy();
    const trigger = { json: { runId: "r", workflowId: "long", input: 2 }, ...wait };
    expect(await answerOf(await api.fetch("/api/runs?view=result", trigger))).toMatchObject({
      status: 201,
      body: { id: "r", status: "waiting" },
    });
    const again = await answerOf(await api.fetch("/api/runs?view=summary", trigger));
    expect([again.status, again.body]).toEqual([200, expect.not.objectContaining({ steps: expect.anything() })]);
    const held = read(api, "r?view=result", wait);
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    expect(await held).toEqual({ id: "r", status: "completed", output: { n: 2 } });
    const json = { runId: "s", resumeFromStep: { name: "turn", occurrence: 1 } };
    const resumed = await answerOf(await api.fetch("/api/runs/r/resume?view=result", { json, ...wait }));
    expect(resumed).toMatchObject({ status: 201, body: { id: "s", status: "waiting" } });
    expect(Object.keys(resumed.body)).toEqual(["id", "status"]);
  });

  test("API7 WHY4 ACT1 a summary has the reasons and the actions that the caller requests", async () => {
    const api = deploy();
    await start(api, "r", "long", 2);
    const { steps: _steps, streams: _streams, ...others } = await read(api, "r?actions=true&why=deep");
    expect(await read(api, "r?view=summary&actions=true&why=deep")).toEqual(others);
    expect(others).toMatchObject({ why: [{ code: "WAITING_FOR_SIGNAL" }], actions: expect.any(Array) });
  });

  test.each([
    ["GET", "/api/runs/r?view=whole", "view: must be summary, result, record"],
    ["GET", "/api/runs/r?view=", "view: must be summary, result, record"],
    ["GET", "/api/runs/r?view=result&why=deep", "why: is for view=summary and view=record"],
    ["GET", "/api/runs/r?view=result&actions=true", "actions: is for view=summary and view=record"],
    ["POST", "/api/runs?view=Result", "view: must be summary, result, record"],
    ["POST", "/api/runs/r/resume?view=steps", "view: must be summary, result, record"],
  ])("API7 LIM2 %s %s is refused, and changes nothing", async (method, path, message) => {
    const api = deploy();
    const json = { workflowId: "long", runId: "r", input: 1 };
    const { status, body } = await answerOf(await api.fetch(path, method === "GET" ? {} : { json }));
    expect([status, body]).toMatchObject([400, { error: "invalid_query", message: expect.stringContaining(message) }]);
    expect(api.storages.size).toBe(0);
  });
});

describe("what an answer reads", () => {
  /** The rows that an object reads for an answer. */
  async function readsOf(api: FakeDeployment, path: string): Promise<object> {
    const before = { ...api.storageOf("r").reads };
    expect((await api.fetch(`/api/runs/r${path}`)).status).toBe(200);
    const after = api.storageOf("r").reads;
    return { gets: after.gets - before.gets, rowsListed: after.rowsListed - before.rowsListed };
  }

  test.each(["summary", "result"])(
    "API7 a %s of a run in memory reads no row, however long its history is",
    async (view) => {
      const api = await ended(500);
      expect(await readsOf(api, `?view=${view}`)).toEqual({ gets: 0, rowsListed: 0 });
    },
  );

  test.each(["summary", "result"])(
    "API7 a %s of a run of 500 steps reads as many rows as one of 5 after a restart",
    async (view) => {
      const readsAfterRestart = async (n: number): Promise<object> => {
        const api = await ended(n);
        api.evict("r");
        return readsOf(api, `?view=${view}`);
      };
      const reads = await readsAfterRestart(5);
      expect(await readsAfterRestart(500)).toEqual(reads);
      // The header, and the newest entry: that is how an object loads a run (F2).
      expect(reads).toMatchObject({ rowsListed: 1 });
    },
  );

  test("API7 WHY1 a summary of a run that waits for a retry reads no entry, and says that it waits", async () => {
    const api = deploy();
    await start(api, "r", "retries", 150);
    await vi.waitUntil(async () => (await read(api, "r?view=result"))["status"] === "waiting", { interval: 1 });
    api.evict("r");
    expect(await readsOf(api, "?view=result")).toMatchObject({ rowsListed: 1 });
    expect(await readsOf(api, "?view=summary")).toMatchObject({ rowsListed: 0 });
    expect(await read(api, "r?view=summary")).toMatchObject({ why: [{ code: "STEP_RETRYING" }] });
    expect(await read(api, "r")).toMatchObject({ why: [{ code: "STEP_RETRYING", error: { message: "no" } }] });
  });
});

describe("the client", () => {
  function connect(api: FakeDeployment) {
    const queries: string[] = [];
    const fetch = (request: Request): Promise<Response> => {
      queries.push(new URL(request.url).search);
      return api.handle(request);
    };
    return { client: createClient({ url: "https://flows.example", fetch, attempts: 1 }), queries };
  }

  test("API7 waits for a result with the smallest view, and the type of an answer follows the view", async () => {
    const api = await ended(2);
    const { client, queries } = connect(api);
    const run = client.run("r", long);
    expect(await run.result()).toEqual({ n: 2 });
    expect(queries).toEqual(["?view=result"]);
    expectTypeOf(await run.get()).toEqualTypeOf<RunRecord<{ n: number }>>();
    expectTypeOf(await run.ended()).toEqualTypeOf<RunRecord<{ n: number }>>();
    const summary = await run.get({ view: "summary" });
    expectTypeOf(summary).toEqualTypeOf<RunOverview<{ n: number }>>();
    expect(summary).not.toHaveProperty("steps");
    const result = await run.ended({ view: "result" });
    expectTypeOf(result).toEqualTypeOf<RunResult<{ n: number }>>();
    expect(result).toEqual({ id: "r", status: "completed", output: { n: 2 } });
    expect(queries.slice(1)).toEqual(["", "", "?view=summary", "?view=result"]);
    const refused = await run.get({ view: "result", why: "deep" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ code: "invalid_query" });
  });

  test("API2 API7 an error of a run without a result has what the wait read", async () => {
    const api = deploy();
    await start(api, "f", "fails", null);
    const { client, queries } = connect(api);
    const error = await client
      .run("f")
      .result()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({ status: "failed", error: { step: "bad" }, run: { id: "f", status: "failed" } });
    expect(queries).toEqual(["?view=result"]);
  });
});
