import { LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const bodies: string[] = [];

const workflows = [
  workflow({
    id: "approve",
    tags: ["money"],
    description: "Waits for an approval.",
    run: async (input: { amount: number }, ctx) => {
      await ctx.step("check", () => bodies.push("check"));
      const approval = await ctx.waitForSignal("approval", { timeout: "1h" });
      return { amount: input.amount, approval };
    },
  }),
  workflow({ id: "token", run: (_input, ctx) => ctx.waitForToken({ tokenId: "t/1%" }).wait() }),
  workflow({
    id: "fails",
    run: (_input, ctx) => ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))),
  }),
];

let api: FakeDeployment;
beforeEach(() => {
  bodies.length = 0;
  api = new FakeDeployment(workflows);
});

const wait = { headers: { Prefer: "wait=5" } };

describe("triggering and reading", () => {
  test("RUN2 a trigger answers 201 with the record, a repetition 200 with the same run", async () => {
    const json = {
      workflowId: "approve",
      runId: "r1",
      input: { amount: 5 },
      tags: ["vip"],
      tenantMeta: { organization: "acme" },
    };
    const first = await answerOf(await api.fetch("/api/runs", { json, ...wait }));
    expect(first).toMatchObject({
      status: 201,
      body: {
        id: "r1",
        workflowId: "approve",
        status: "waiting",
        input: { amount: 5 },
        tags: ["money", "vip"],
        tenantMeta: { organization: "acme" },
        environment: "production",
        triggeredBy: "api",
        phase: "forward",
        invocationCount: 1,
      },
    });
    expect(first.body.steps).toMatchObject([
      { name: "check", occurrence: 0, status: "completed", attempts: 1, output: 1 },
    ]);
    expect(first.body.pendingWaitpoints).toMatchObject([
      { kind: "SIGNAL", meta: { name: "approval" }, wakeAt: expect.any(Number) },
    ]);
    expect((await answerOf(await api.fetch("/api/runs", { json }))).status).toBe(200);
    expect(bodies).toEqual(["check"]);
  });

  test("RUN2 an idempotency key, in the header or the body, finds the run again; with other content it is refused", async () => {
    const json = { workflowId: "approve", input: { amount: 5 } };
    const first = await answerOf(await api.fetch("/api/runs", { json, headers: { "Idempotency-Key": "k1" } }));
    const again = await answerOf(await api.fetch("/api/runs", { json: { ...json, idempotencyKey: "k1" } }));
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id]);
    const other = await answerOf(
      await api.fetch("/api/runs", { json: { ...json, input: { amount: 6 } }, headers: { "Idempotency-Key": "k1" } }),
    );
    expect(other).toMatchObject({ status: 409, body: { error: "idempotency_conflict" } });
  });

  test("RUN2 a key stands for one run, whatever ids come with it", async () => {
    const json = { workflowId: "approve", input: { amount: 5 } };
    const trigger = async (more: object): Promise<[number, unknown]> => {
      const { status, body } = await answerOf(await api.fetch("/api/runs", { json: { ...json, ...more } }));
      return [status, body.id ?? body.error];
    };
    expect(await trigger({ runId: "A", idempotencyKey: "K" })).toEqual([201, "A"]);
    expect(await trigger({ runId: "B", idempotencyKey: "K" })).toEqual([409, "idempotency_conflict"]);
    expect(await trigger({ idempotencyKey: "K" })).toEqual([200, "A"]);
    expect(await trigger({ idempotencyKey: "K", input: 2 })).toEqual([409, "idempotency_conflict"]);
    expect(await trigger({ runId: "A", idempotencyKey: "K" })).toEqual([200, "A"]);
    const [, byKey] = await trigger({ idempotencyKey: "L" });
    expect(await trigger({ runId: "C", idempotencyKey: "L" })).toEqual([409, "idempotency_conflict"]);
    expect(await trigger({ idempotencyKey: "L" })).toEqual([200, byKey]);
  });

  test("RUN2 a key is not bound by a request that was refused", async () => {
    const trigger = (json: object): Promise<Response> => api.fetch("/api/runs", { json });
    expect((await trigger({ workflowId: "aprove", runId: "A", idempotencyKey: "K" })).status).toBe(404);
    expect((await trigger({ workflowId: "approve", runId: "B", idempotencyKey: "K", input: {} })).status).toBe(201);
  });

  test("LIM2 without an index runs cannot be listed, and the answer says so", async () => {
    expect(await answerOf(await api.fetch("/api/runs"))).toMatchObject({
      status: 501,
      body: { error: "index_not_configured" },
    });
  });

  test("RUN8 names such as constructor are kept in seedResults and tenantMeta", async () => {
    const meta = await answerOf(
      await api.fetch("/api/runs", {
        json: { workflowId: "approve", input: {}, tenantMeta: { constructor: 1, b: 2 } },
      }),
    );
    expect(meta.body.tenantMeta).toEqual({ constructor: 1, b: 2 });
    await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "r1" }, ...wait });
    const body = '{"runId":"r2","seedResults":{"__proto__":"S","constructor":"S","bad":"mended"}}';
    const resumed = await api.fetch("/api/runs/r1/resume", {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(resumed.status).toBe(201);
    expect(JSON.stringify(api.storageOf("r2").rows.get("inherited"))).toContain("step/0/__proto__");
  });

  test("CAN4 pause and unpause, CAN5 retry: each answers 202 with the run, or 409 where it does not apply", async () => {
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

  test("DUR5 an alarm that was lost is set again by whoever reads the run next", async () => {
    await api.fetch("/api/runs", { json: { runId: "late", workflowId: "approve", delay: "1h" } });
    const { alarmAt } = api.storageOf("late");
    api.storageOf("late").alarmAt = null;
    api.evict("late");
    expect((await api.fetch("/api/runs/late")).status).toBe(200);
    expect(api.storageOf("late").alarmAt).toBe(alarmAt);
  });

  test("VER3 an ended run can be deleted, with all its rows; one that has not ended cannot", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    expect(await answerOf(await api.fetch("/api/runs/r1", { method: "DELETE" }))).toMatchObject({
      status: 409,
      body: { error: "run_not_ended" },
    });
    await api.fetch("/api/runs/r1/cancel", { method: "POST" });
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(204);
    expect(api.storageOf("r1")).toMatchObject({ rows: new Map(), alarmAt: null });
    expect((await api.fetch("/api/runs/r1")).status).toBe(404);
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(404);
  });

  test("VER3 run ids that the server makes sort by the time of their creation", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await answerOf(await api.fetch("/api/runs", { json: { workflowId: "token" } }))).body.id as string);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(ids.toSorted()).toEqual(ids);
  });

  test("RUN1 Prefer: wait answers when the run ends or parks, or when the time is up", async () => {
    const failed = await answerOf(await api.fetch("/api/runs", { json: { workflowId: "fails" }, ...wait }));
    expect(failed.body).toMatchObject({
      status: "failed",
      error: { category: "USER_ERROR", code: "STEP_FAILED", message: "no", step: "bad" },
    });
    const impatient = await answerOf(
      await api.fetch("/api/runs", { json: { workflowId: "fails" }, headers: { Prefer: "wait=0" } }),
    );
    expect(impatient.body.status).toBe("running");
  });

  test("DUR1 the record, the header under `record` and the alarm are stored when the trigger is acknowledged", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} } });
    const storage = api.storageOf("r1");
    expect(storage.rows.get("record")).toMatchObject({ id: "r1", status: "running" });
    expect(storage.alarmAt).toBeGreaterThan(Date.now());
  });

  test("WAIT1 a parked run's alarm is the time at which something is due", async () => {
    const { body } = await answerOf(
      await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait }),
    );
    const [waitpoint] = body.pendingWaitpoints as { wakeAt: number }[];
    expect(api.storageOf("r1").alarmAt).toBe(waitpoint?.wakeAt);
  });

  test("LIM2 reading an unknown run, or delivering to one, stores nothing", async () => {
    expect(await answerOf(await api.fetch("/api/runs/nobody"))).toMatchObject({
      status: 404,
      body: { error: "not_found" },
    });
    expect(await answerOf(await api.fetch("/api/runs/nobody/signals", { json: { name: "s" } }))).toMatchObject({
      status: 404,
    });
    expect(api.storageOf("nobody")).toMatchObject({ writes: 0, alarmAt: null });
  });

  test("the journal is paged", async () => {
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

  test("what is served is listed", async () => {
    expect((await answerOf(await api.fetch("/api/workflows"))).body).toEqual({
      workflows: [
        { id: "approve", description: "Waits for an approval.", tags: ["money"] },
        { id: "token" },
        { id: "fails" },
      ],
    });
    expect(await answerOf(await api.fetch("/healthz"))).toEqual({ status: 200, body: { ok: true } });
  });
});

describe("delivering", () => {
  const start = (workflowId: string, runId = "r1"): Promise<Response> =>
    api.fetch("/api/runs", { json: { workflowId, runId, input: {} }, ...wait });

  test("WAIT2 signals are resolved, buffered or recognised as duplicates, also after an eviction", async () => {
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

  test("WAIT4 a wait times out by the alarm with nobody calling, after an eviction too", async () => {
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

  test("WAIT7 a token is answered once, by its own path; one that was never issued is not found", async () => {
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

  test("CAN1 a cancel answers 202 with the cancelled run; a run that has ended answers 409", async () => {
    await start("approve");
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { method: "POST" }))).toMatchObject({
      status: 202,
      body: { run: { status: "cancelled" } },
    });
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { json: { reason: "again" } }))).toMatchObject({
      status: 409,
      body: { error: "run_terminal" },
    });
    expect(api.storageOf("r1").alarmAt).toBeNull();
  });

  test("RES1 a failed run is resumed over HTTP: the new run names its parent and the parent lists it", async () => {
    await start("fails");
    const resumed = await answerOf(
      await api.fetch("/api/runs/r1/resume", { json: { runId: "r2", seedResults: { bad: "mended" } } }),
    );
    expect(resumed).toMatchObject({
      status: 201,
      body: { id: "r2", workflowId: "fails", resumedFrom: { runId: "r1", step: "bad" } },
    });
    await expect
      .poll(async () => (await answerOf(await api.fetch("/api/runs/r2"))).body)
      .toMatchObject({ status: "completed", output: "mended", steps: [{ name: "bad", status: "skipped" }] });
    expect((await answerOf(await api.fetch("/api/runs/r1"))).body).toMatchObject({
      status: "failed",
      resumedBy: ["r2"],
    });
    expect(
      (await api.fetch("/api/runs/r1/resume", { json: { runId: "r2", seedResults: { bad: "mended" } } })).status,
    ).toBe(200);
  });

  test("RES1 a running parent, the parent's own id and an unknown step are refused", async () => {
    await start("approve");
    expect(await answerOf(await api.fetch("/api/runs/r1/resume", { json: {} }))).toMatchObject({
      status: 409,
      body: { error: "parent_not_ended" },
    });
    await api.fetch("/api/runs/r1/cancel", { method: "POST" });
    expect((await api.fetch("/api/runs/r1/resume", { json: { runId: "r1" } })).status).toBe(409);
    expect(await answerOf(await api.fetch("/api/runs/r1/resume", { json: { resumeFromStep: "x" } }))).toMatchObject({
      status: 400,
      body: { error: "unknown_step" },
    });
  });

  test("RES2 with a parent that is not known, workflowId and resumeFromStep are needed and enough", async () => {
    expect((await api.fetch("/api/runs/elsewhere/resume", { json: {} })).status).toBe(404);
    expect(
      await answerOf(await api.fetch("/api/runs/elsewhere/resume", { json: { workflowId: "fails" } })),
    ).toMatchObject({ status: 400, body: { error: "invalid_body" } });
    const json = { workflowId: "approve", resumeFromStep: "check", runId: "r9", input: { amount: 1 } };
    expect(await answerOf(await api.fetch("/api/runs/elsewhere/resume", { json }))).toMatchObject({
      status: 201,
      body: { resumedFrom: { runId: "elsewhere", step: "check" } },
    });
    expect(api.storageOf("elsewhere").writes).toBe(0);
  });
});

describe("refusals", () => {
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    api.fetch("/api/runs", { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });

  test.each([
    ["broken JSON", "{", 400, "invalid_json", "JSON"],
    ["text that is no JSON", "hello", 400, "invalid_json", "not JSON"],
    ["an empty body", "", 400, "invalid_body", "workflowId"],
    ["an array", "[]", 400, "invalid_body", "workflowId: is missing"],
    ["a wrong type", '{"workflowId":5}', 400, "invalid_body", "workflowId"],
    ["an unknown field", '{"workflowId":"approve","inptu":1}', 400, "invalid_body", "inptu: unknown field"],
    [
      "a bad duration",
      '{"workflowId":"approve","delay":"1.5h"}',
      400,
      "invalid_body",
      'delay: "1.5h" is not a duration',
    ],
    ["a negative time-out", '{"workflowId":"approve","timeout":-1}', 400, "invalid_body", "timeout"],
    ["an empty id", '{"workflowId":"approve","runId":""}', 400, "invalid_id", "runId"],
    ["a long id", `{"workflowId":"approve","runId":"${"x".repeat(257)}"}`, 400, "invalid_id", "256"],
    ["an id that no URL can hold", '{"workflowId":"approve","runId":".."}', 400, "invalid_id", '".."'],
    ["a control character in an id", '{"workflowId":"approve","runId":"a\\nb"}', 400, "invalid_id", "control"],
    ["too many tags", `{"workflowId":"approve","tags":[${'"t",'.repeat(64)}"t"]}`, 400, "invalid_body", "tags"],
    [
      "an input with __proto__",
      '{"workflowId":"approve","input":{"__proto__":{"x":1}}}',
      400,
      "invalid_body",
      "__proto__",
    ],
    [
      "an input nested too deeply",
      `{"workflowId":"approve","input":${"[".repeat(60_000)}${"]".repeat(60_000)}}`,
      400,
      "invalid_body",
      "nested",
    ],
    ["an unknown workflow", '{"workflowId":"aprove"}', 404, "workflow_not_found", '"approve"'],
    ["an unknown version", '{"workflowId":"approve","workflowVersion":"9"}', 201, "", ""],
  ])(
    "LIM2 %s is refused with a code and a message that helps, and stores nothing",
    async (_what, body, status, code, named) => {
      const answer = await answerOf(await post(body));
      expect(answer.status).toBe(status);
      if (status === 201) return;
      expect(answer.body.error).toBe(code);
      expect(answer.body.message).toContain(named);
      for (const storage of api.storages.values()) expect(storage.writes).toBe(0);
    },
  );

  test("LIM2 a body over the limit is refused, whatever its headers claim", async () => {
    const large = JSON.stringify({ workflowId: "approve", input: "x".repeat(5_000_000) });
    expect(await answerOf(await post(large))).toMatchObject({
      status: 413,
      body: { error: "body_too_large", message: expect.stringContaining(String(LIMITS.requestBytes)) },
    });
    const parts = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
      },
    });
    const streamed = await api.fetch("/api/runs", {
      method: "POST",
      body: parts,
      duplex: "half",
      headers: { "Content-Type": "application/json" },
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  test("LIM2 a body that is not UTF-8 is refused", async () => {
    const body = Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]);
    const answer = await api.fetch("/api/runs", {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(await answerOf(answer)).toMatchObject({ status: 400, body: { error: "invalid_json" } });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
    "SEC6 a body that claims to be %j is refused with 415",
    async (type) => {
      const answer = await answerOf(await post('{"workflowId":"approve"}', { "Content-Type": type }));
      expect(answer).toMatchObject({ status: 415, body: { error: "unsupported_media_type" } });
    },
  );

  test("SEC6 a page of another site may not change anything, and no CORS header is ever sent", async () => {
    const foreign = { headers: { Origin: "https://evil.example" } };
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { method: "POST", ...foreign }))).toMatchObject({
      status: 403,
      body: { error: "origin_not_allowed" },
    });
    const read = await api.fetch("/api/workflows", foreign);
    expect([...read.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await api.fetch("/api/runs", { method: "OPTIONS" })).status).toBe(405);
  });

  test("SEC6 reading changes nothing, not even of a run whose execution was lost", async () => {
    await api.fetch("/api/runs", {
      json: { workflowId: "approve", runId: "r1", input: {} },
      headers: { Prefer: "wait=0" },
    });
    api.evict("r1");
    const before = structuredClone(api.storageOf("r1").rows);
    for (const path of ["/api/runs/r1", "/api/runs/r1/journal", "/api/workflows", "/healthz"]) {
      await api.fetch(path);
      await api.fetch(path, { method: "HEAD" });
    }
    expect(api.storageOf("r1").rows).toEqual(before);
    expect(api.storageOf("r1").writes).toBe(0);
  });

  test.each([
    ["GET", "/api/nothing", 404, "route_not_found"],
    ["GET", "/", 404, "route_not_found"],
    ["GET", "/api/runs/a/b", 404, "route_not_found"],
    ["GET", "/api/runs/%E0%A4%A", 400, "invalid_id"],
    ["GET", "/api/runs/%00", 400, "invalid_id"],
    ["GET", `/api/runs/${"x".repeat(257)}`, 400, "invalid_id"],
    ["GET", "/api/runs/r1/journal?limit=0", 400, "invalid_query"],
    ["GET", "/api/runs/r1/journal?limit=abc", 400, "invalid_query"],
    ["GET", "/api/runs/r1/journal?page=1", 400, "invalid_query"],
    ["POST", "/api/runs/r1/tokens/%00", 400, "invalid_id"],
  ])("LIM2 %s %s answers %d %s", async (method, path, status, code) => {
    expect(await answerOf(await api.fetch(path, { method }))).toMatchObject({ status, body: { error: code } });
  });

  test("LIM2 a wrong verb answers 405 with the right ones", async () => {
    const get = await api.fetch("/api/runs/r1/signals");
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    const put = await api.fetch("/api/runs/r1", { method: "PUT" });
    expect([put.status, put.headers.get("Allow")]).toEqual([405, "GET, DELETE, HEAD"]);
  });

  test.each(["a/b", "100%", "ключ ☃", "__proto__", "a?b#c&d", "...", "-"])(
    "LIM2 an id may be %j, properly encoded",
    async (runId) => {
      const created = await answerOf(
        await api.fetch("/api/runs", { json: { workflowId: "approve", runId, input: {} }, ...wait }),
      );
      expect(created.body.id).toBe(runId);
      const path = `/api/runs/${encodeURIComponent(runId)}`;
      const read = await answerOf(await api.fetch(path));
      expect(read.body).toMatchObject({ id: runId, status: "waiting" });
    },
  );

  test("WAIT9 a full inbox answers 429 with Retry-After", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    for (let i = 0; i < LIMITS.inboxDeliveries; i++)
      await api.fetch("/api/runs/r1/events", { json: { eventType: "e" } });
    const full = await api.fetch("/api/runs/r1/events", { json: { eventType: "e" } });
    expect([full.status, full.headers.get("Retry-After")]).toEqual([429, "5"]);
  });

  test("SEC4 an error of the storage answers 500 without any detail", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    const storage = api.storageOf("r1");
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    storage.kv.put = () => {
      throw new Error("SQLITE_FULL at /secret/path");
    };
    const answer = await answerOf(await api.fetch("/api/runs/r1/signals", { json: { name: "approval" } }));
    expect(answer).toMatchObject({ status: 500, body: { error: "internal_error" } });
    expect(JSON.stringify(answer.body)).not.toMatch(/SQLITE|secret|put/);
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
  });

  test("SEC4 a failed step's record holds no stack", async () => {
    const { body } = await answerOf(
      await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "r1" }, ...wait }),
    );
    const journal = await answerOf(await api.fetch("/api/runs/r1/journal"));
    expect(JSON.stringify([body, journal.body])).not.toMatch(/stack|\.ts:/);
  });
});
