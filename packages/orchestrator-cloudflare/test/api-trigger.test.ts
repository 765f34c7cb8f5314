/** tests: routes of the HTTP API that trigger and resume runs */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { bodies, workflows } from "./api-workflows.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let api: FakeDeployment;
beforeEach(() => {
  bodies.length = 0;
  api = new FakeDeployment(workflows);
});

const wait = { headers: { Prefer: "wait=5" } };

describe("triggers", () => {
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

  test("RUN2 a repeated idempotency key in the header or body returns the run; with other content it is rejected", async () => {
    const json = { workflowId: "approve", input: { amount: 5 } };
    const first = await answerOf(await api.fetch("/api/runs", { json, headers: { "Idempotency-Key": "k1" } }));
    const again = await answerOf(await api.fetch("/api/runs", { json: { ...json, idempotencyKey: "k1" } }));
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id]);
    const other = await answerOf(
      await api.fetch("/api/runs", { json: { ...json, input: { amount: 6 } }, headers: { "Idempotency-Key": "k1" } }),
    );
    expect(other).toMatchObject({ status: 409, body: { error: "idempotency_conflict" } });
  });

  test("RUN2 a key belongs to one run, also if later triggers name other run ids", async () => {
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

  test("RUN2 a rejected request does not reserve its key", async () => {
    const trigger = (json: object): Promise<Response> => api.fetch("/api/runs", { json });
    expect((await trigger({ workflowId: "aprove", runId: "A", idempotencyKey: "K" })).status).toBe(404);
    const large = { a: "x".repeat(DEFAULT_LIMITS.tenantMetaChars) };
    const tooLarge = { workflowId: "approve", runId: "A", idempotencyKey: "K", tenantMeta: large };
    expect((await trigger(tooLarge)).status).toBe(400);
    const body = '{"workflowId":"approve","runId":"A","idempotencyKey":"K","input":{"__proto__":{}}}';
    const headers = { "Content-Type": "application/json" };
    expect((await api.fetch("/api/runs", { method: "POST", body, headers })).status).toBe(400);
    expect((await trigger({ workflowId: "approve", runId: "B", idempotencyKey: "K", input: {} })).status).toBe(201);
  });

  test("RUN8 keys such as constructor are stored in seedResults and tenantMeta", async () => {
    const meta = await answerOf(
      await api.fetch("/api/runs", {
        json: { workflowId: "approve", input: {}, tenantMeta: { constructor: 1, b: 2 } },
      }),
    );
    expect(meta.body.tenantMeta).toEqual({ constructor: 1, b: 2 });
    await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "r1" }, ...wait });
    const body = '{"runId":"r2","seedResults":{"__proto__":"S","constructor":"S","bad":"repaired"}}';
    const resumed = await api.fetch("/api/runs/r1/resume", {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(resumed.status).toBe(201);
    expect(JSON.stringify(api.storageOf("r2").rows.get("inherited"))).toContain("step/0/__proto__");
  });

  test("VER3 run ids that the server generates sort by creation time", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await answerOf(await api.fetch("/api/runs", { json: { workflowId: "token" } }))).body.id as string);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(ids.toSorted()).toEqual(ids);
  });

  test("RUN1 a request with Prefer: wait is answered when the run ends or parks, or after that time", async () => {
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
    expect(storage.rows.get("record")).toMatchObject({ id: "r1", startedAt: expect.any(Number) });
    expect(storage.alarmAt).toBeGreaterThan(Date.now());
  });

  test("WAIT1 the alarm of a parked run is set to its next timer", async () => {
    const { body } = await answerOf(
      await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait }),
    );
    const [waitpoint] = body.pendingWaitpoints as { wakeAt: number }[];
    expect(api.storageOf("r1").alarmAt).toBe(waitpoint?.wakeAt);
  });
});

describe("resumes", () => {
  const start = (workflowId: string, runId = "r1"): Promise<Response> =>
    api.fetch("/api/runs", { json: { workflowId, runId, input: {} }, ...wait });

  test("RES1 a failed run is resumed over HTTP: the new run names its parent and the parent lists it", async () => {
    await start("fails");
    const resumed = await answerOf(
      await api.fetch("/api/runs/r1/resume", { json: { runId: "r2", seedResults: { bad: "repaired" } } }),
    );
    expect(resumed).toMatchObject({
      status: 201,
      body: { id: "r2", workflowId: "fails", resumedFrom: { runId: "r1", step: "bad" } },
    });
    await expect
      .poll(async () => (await answerOf(await api.fetch("/api/runs/r2"))).body)
      .toMatchObject({ status: "completed", output: "repaired", steps: [{ name: "bad", status: "skipped" }] });
    expect((await answerOf(await api.fetch("/api/runs/r1"))).body).toMatchObject({
      status: "failed",
      resumedBy: ["r2"],
    });
    expect(
      (await api.fetch("/api/runs/r1/resume", { json: { runId: "r2", seedResults: { bad: "repaired" } } })).status,
    ).toBe(200);
  });

  test("RES1 a running parent, the parent's own id and an unknown step are rejected", async () => {
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

  test("RES2 a resume of an unknown parent needs workflowId and resumeFromStep", async () => {
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
