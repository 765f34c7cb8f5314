/** tests: the deletion of a run frees its idempotency key, through a crash at each write (RUN2, VER3) */
import { workflow } from "@holdfast/workflows";
import { idFromKey } from "@holdfast/orchestrator";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let api: FakeDeployment;
let now: number;
beforeEach(() => {
  now = 1_800_000_000_000;
  vi.spyOn(console, "log").mockReturnValue();
  const quick = workflow({ id: "quick", run: (input: number) => input });
  api = new FakeDeployment([quick], {}, undefined, { clock: () => now, retention: { default: "1h" } });
});

async function trigger(json: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { Prefer: "wait=5" };
  return answerOf(await api.fetch("/api/runs", { headers, json: { workflowId: "quick", input: 1, ...json } }));
}

function rowsOf(runId: string): number {
  return api.storageOf(runId).rows.size;
}

const KEY = { idempotencyKey: "order-1" };

async function deleteRun(runId: string): Promise<number> {
  return (await api.fetch(`/api/runs/${runId}`, { method: "DELETE" })).status;
}

test("RUN2 VER3 the deletion of a run with a chosen id frees its key", async () => {
  expect((await trigger({ runId: "a", ...KEY })).status).toBe(201);
  expect(await trigger({ runId: "b", ...KEY })).toMatchObject({ status: 409 });
  expect(await deleteRun("a")).toBe(204);
  expect([rowsOf("a"), rowsOf(idFromKey("order-1"))]).toEqual([0, 0]);
  expect(await trigger({ runId: "b", ...KEY })).toMatchObject({ status: 201, body: { id: "b" } });
  expect(await trigger(KEY)).toMatchObject({ status: 200, body: { id: "b" } });
});

test("RUN2 VER3 the end of a run's retention frees its key", async () => {
  await trigger({ runId: "a", ...KEY });
  now += 3_600_001;
  await api.alarm("a");
  expect([rowsOf("a"), rowsOf(idFromKey("order-1"))]).toEqual([0, 0]);
  expect(await trigger({ runId: "b", ...KEY })).toMatchObject({ status: 201 });
});

test("RUN2 the deletion of a run does not free a key that belongs to another run", async () => {
  await trigger({ runId: "a", ...KEY });
  await deleteRun("a");
  await trigger({ runId: "b", ...KEY });
  // A run with the key that belongs to another one: an earlier version released the key and left the run.
  await trigger({ runId: "c" });
  const storage = api.storageOf("c");
  storage.rows.set("record", { ...(storage.rows.get("record") as object), ...KEY });
  api.evict("c");
  expect(await deleteRun("c")).toBe(204);
  expect(await trigger(KEY)).toMatchObject({ status: 200, body: { id: "b" } });
});

test.each(["the key's object", "deleteAll", "deleteAlarm"])(
  "DUR4 VER3 a deletion that fails at %s is completed by its repetition, and by the alarm",
  async (place) => {
    vi.spyOn(console, "error").mockReturnValue();
    for (const how of ["repeated", "alarm"]) {
      const runId = `a-${how}`;
      const key = { idempotencyKey: `key of ${how}` };
      await trigger({ runId, ...key });
      const failing =
        place === "the key's object"
          ? vi.spyOn(api.storageOf(idFromKey(key.idempotencyKey)).kv, "get")
          : vi.spyOn(api.storageOf(runId), place as "deleteAll");
      failing.mockImplementation(() => {
        throw new Error("the process died");
      });
      // A platform whose deleteAll leaves the alarm.
      if (place === "deleteAlarm") vi.spyOn(api.storageOf(runId), "getAlarm").mockResolvedValueOnce(1);
      expect(await deleteRun(runId)).toBe(500);
      failing.mockRestore();
      api.evict(runId);
      now += 3_600_001;
      if (how === "alarm") await api.alarm(runId);
      else expect([204, 404]).toContain(await deleteRun(runId));
      expect([rowsOf(runId), rowsOf(idFromKey(key.idempotencyKey))]).toEqual([0, 0]);
      expect(await trigger({ runId: `b-${how}`, ...key })).toMatchObject({ status: 201 });
    }
  },
);

test("RUN2 VER3 a trigger during the deletion of its run creates another run, which keeps the key", async () => {
  await trigger({ runId: "a", ...KEY });
  const [deleted, triggered] = await Promise.all([deleteRun("a"), trigger({ runId: "a", ...KEY })]);
  expect([deleted, triggered.status]).toEqual([204, 201]);
  expect(await trigger({ runId: "b", ...KEY })).toMatchObject({ status: 409 });
});

test.each(["key-1", idFromKey("another")])(
  "RUN2 SEC5 a caller cannot choose the id %s, which keys use",
  async (runId) => {
    const refusal = { status: 400, body: { error: "invalid_body", message: expect.stringContaining('"key-"') } };
    expect(await trigger({ runId })).toMatchObject(refusal);
    expect(await trigger({ runId, ...KEY })).toMatchObject(refusal);
    await trigger({ runId: "parent" });
    const json = { runId, resumeFromStep: "x" };
    expect(
      await answerOf(await api.fetch("/api/runs/unknown/resume", { json: { ...json, workflowId: "quick" } })),
    ).toMatchObject(refusal);
    expect(await trigger({ runId: idFromKey("order-1"), ...KEY })).toMatchObject({ status: 201 });
  },
);
