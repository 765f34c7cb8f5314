/** tests: routes of the HTTP API that read, operate and delete runs, and deliver to them */
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { bodies, workflows } from "./api-workflows.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let api: FakeDeployment;
beforeEach(() => {
  bodies.length = 0;
  api = new FakeDeployment(workflows);
});

const wait = { headers: { Prefer: "wait=5" } };

describe("one run", () => {
  test("CAN4 pause and unpause, CAN5 retry: each answers 202 with the run, or 409 if it does not apply", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    const post = async (what: string): Promise<[number, unknown]> => {
      const { status, body } = await answerOf(await api.fetch(`/api/runs/r1/${what}`, { method: "POST" }));
      return [status, (body.run as { status: string } | undefined)?.status ?? body.error];
    };
    expect(await post("retry")).toEqual([409, "not_applicable"]);
    expect(await post("pause")).toEqual([202, "paused"]);
    expect(await post("pause")).toEqual([409, "not_applicable"]);
    expect(await post("unpause")).toEqual([202, "waiting"]);
  });

  test("DUR5 the next read of a run sets a lost alarm again", async () => {
    await api.fetch("/api/runs", { json: { runId: "late", workflowId: "approve", delay: "1h" } });
    const { alarmAt } = api.storageOf("late");
    api.storageOf("late").alarmAt = null;
    api.evict("late");
    expect((await api.fetch("/api/runs/late")).status).toBe(200);
    expect(api.storageOf("late").alarmAt).toBe(alarmAt);
  });

  test("DUR5 the next reader of a run sets an alarm whose time has long passed, and leaves one that is only late", async () => {
    await api.fetch("/api/runs", { json: { runId: "late", workflowId: "approve", delay: "1h" } });
    const { alarmAt } = api.storageOf("late");
    const afterLoading = async (stored: number): Promise<number | null> => {
      api.storageOf("late").alarmAt = stored;
      api.evict("late");
      await api.fetch("/api/runs/late");
      return api.storageOf("late").alarmAt;
    };
    const now = Date.now();
    expect(await afterLoading(now - 60_000)).toBe(alarmAt);
    expect(await afterLoading(now - 1_000)).toBe(now - 1_000);
  });

  test("DUR5 a reader of a run in memory sets an alarm that the clock has passed in a step", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await api.fetch("/api/runs", { json: { runId: "late", workflowId: "approve", delay: "1h" } });
      await api.fetch("/api/runs/late");
      const { alarmAt } = api.storageOf("late");
      vi.setSystemTime(Date.now() + 7_200_000);
      await api.fetch("/api/runs/late");
      expect(alarmAt).toBeLessThan(Date.now());
      expect(api.storageOf("late").alarmAt).toBe(Date.now() + 1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("VER3 an ended run can be deleted with all its rows; a live run cannot", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    expect(await answerOf(await api.fetch("/api/runs/r1", { method: "DELETE" }))).toMatchObject({
      status: 409,
      body: { error: "run_not_ended" },
    });
    await api.fetch("/api/runs/r1/cancel", { method: "POST" });
    await api.fetch("/api/runs/r1", { headers: { Prefer: "wait=5" } });
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(204);
    expect(api.storageOf("r1")).toMatchObject({ rows: new Map(), alarmAt: null });
    expect((await api.fetch("/api/runs/r1")).status).toBe(404);
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(404);
  });

  test("LIM2 a read of an unknown run, or a delivery to it, stores nothing", async () => {
    expect(await answerOf(await api.fetch("/api/runs/nobody"))).toMatchObject({
      status: 404,
      body: { error: "not_found" },
    });
    expect(await answerOf(await api.fetch("/api/runs/nobody/signals", { json: { name: "s" } }))).toMatchObject({
      status: 404,
    });
    expect(api.storageOf("nobody")).toMatchObject({ writes: 0, alarmAt: null });
  });

  test("API1 the journal is paged", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    const first = await answerOf(await api.fetch("/api/runs/r1/journal?limit=1"));
    expect(first.body).toMatchObject({
      entries: [
        { seq: 1, type: "step.completed", operation: { kind: "step", name: "check", occurrence: 0 }, value: 1 },
      ],
      nextAfter: 1,
    });
    const second = await answerOf(await api.fetch("/api/runs/r1/journal?after=1"));
    expect(second.body).toMatchObject({ entries: [{ seq: 2, type: "wait.opened" }], nextAfter: null });
  });

  test("API6 the journal is read from its end: the newest entries first, then those before", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    const newest = await answerOf(await api.fetch("/api/runs/r1/journal?order=desc&limit=1"));
    expect(newest.body).toMatchObject({ entries: [{ seq: 2, type: "wait.opened" }], nextAfter: null, nextBefore: 2 });
    const older = await answerOf(await api.fetch("/api/runs/r1/journal?order=desc&limit=1&before=2"));
    expect(older.body).toMatchObject({ entries: [{ seq: 1 }], nextAfter: null, nextBefore: null });
    for (const [query, seqs] of [
      ["order=desc", [2, 1]],
      ["order=desc&before=1", []],
      ["order=desc&before=900", [2, 1]],
    ] as const) {
      const { body } = await answerOf(await api.fetch(`/api/runs/r1/journal?${query}`));
      expect(body).toMatchObject({ entries: seqs.map((seq) => ({ seq })), nextBefore: null });
    }
  });

  test.each(["before=2", "order=desc&after=1", "order=desc&before=0", "order=up"])(
    "API6 a page of the journal with %s is refused, because it has no meaning",
    async (query) => {
      await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
      const { status, body } = await answerOf(await api.fetch(`/api/runs/r1/journal?${query}`));
      expect([status, body]).toMatchObject([400, { error: "invalid_query" }]);
    },
  );

  test("API1 the workflows that the deployment serves are listed", async () => {
    expect((await answerOf(await api.fetch("/api/workflows"))).body).toEqual({
      workflows: [
        { id: "approve", description: "Waits for an approval.", tags: ["money"] },
        { id: "token" },
        { id: "fails" },
      ],
    });
    expect(await answerOf(await api.fetch("/healthz"))).toEqual({
      status: 200,
      body: { ok: true, version: HOLDFAST_VERSION },
    });
  });

  test("LIM2 a list without an index answers index_not_configured", async () => {
    expect(await answerOf(await api.fetch("/api/runs"))).toMatchObject({
      status: 501,
      body: { error: "index_not_configured" },
    });
  });
});

describe("deliveries", () => {
  const start = (workflowId: string, runId = "r1"): Promise<Response> =>
    api.fetch("/api/runs", { json: { workflowId, runId, input: {} }, ...wait });

  test("WAIT2 signals are resolved, buffered or detected as duplicates, also after an eviction", async () => {
    await start("approve");
    const signal = (json: object): Promise<{ status: number; body: Record<string, unknown> }> =>
      api.fetch("/api/runs/r1/signals", { json }).then(answerOf);
    expect(await signal({ name: "other", payload: 1, deliveryId: "d0" })).toMatchObject({
      status: 202,
      body: { delivery: "buffered", run: { id: "r1", status: "waiting" } },
    });
    api.evict("r1");
    expect(await signal({ name: "other", payload: 1, deliveryId: "d0" })).toMatchObject({
      body: { delivery: "duplicate" },
    });
    expect(await signal({ name: "approval", payload: { ok: true } })).toMatchObject({ body: { delivery: "resolved" } });
    await expect.poll(async () => (await answerOf(await api.fetch("/api/runs/r1"))).body.status).toBe("completed");
    expect(await signal({ name: "approval" })).toMatchObject({ status: 409, body: { error: "run_terminal" } });
    expect(bodies).toEqual(["check"]);
  });

  test("WAIT4 the alarm times out a wait without any request, also after an eviction", async () => {
    await start("approve");
    api.evict("r1");
    const storage = api.storageOf("r1");
    const record = storage.rows.get("record") as { waits: { wakeAt: number }[] };
    for (const one of record.waits) one.wakeAt = Date.now() - 1;
    await api.alarm("r1");
    expect((await answerOf(await api.fetch("/api/runs/r1"))).body).toMatchObject({
      status: "completed",
      output: { approval: null },
    });
  });

  test("WAIT7 a token is answered once, by its own path; an unknown token is not found", async () => {
    await start("token");
    const path = "/api/runs/r1/tokens/t%2F1%25";
    expect(await answerOf(await api.fetch("/api/runs/r1/tokens/other", { json: {} }))).toMatchObject({
      status: 404,
      body: { error: "token_not_found" },
    });
    expect(await answerOf(await api.fetch(path, { json: { payload: "yes" } }))).toMatchObject({
      status: 202,
      body: { delivery: "resolved" },
    });
    const again = await answerOf(await api.fetch(path, { json: { payload: "no" } }));
    expect([again.status, again.body.error]).toEqual([409, expect.stringMatching(/already_resolved|run_terminal/)]);
  });

  test("CAN1 CAN2 a cancel answers 202 with the run, which ends after its clean-up; a cancel of an ended run answers 409", async () => {
    await start("approve");
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { method: "POST" }))).toMatchObject({
      status: 202,
      body: { run: { phase: "compensating", error: { code: "CANCELLED" } } },
    });
    const ended = await answerOf(await api.fetch("/api/runs/r1", { headers: { Prefer: "wait=5" } }));
    expect(ended.body.status).toBe("cancelled");
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { json: { reason: "again" } }))).toMatchObject({
      status: 409,
      body: { error: "run_terminal" },
    });
    expect(api.storageOf("r1").alarmAt).toBeNull();
  });
});
