/** tests: the visit of runs that come from a back-up */
import { expectOutput } from "@holdfast/proof/output";
import { idFromKey } from "@holdfast/orchestrator";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bearerAuth, durableObjectIndex } from "../src/index.ts";
import { workflows } from "./api-workflows.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf, tokenOf } from "./fake-platform.ts";

beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

function deploy(): FakeDeployment {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  return new FakeDeployment(workflows, { runIndex }, undefined, { runIndex });
}

const restore = async (api: FakeDeployment, ids: object, more: object = {}): Promise<unknown> =>
  answerOf(await api.fetch("/api/index/rebuild", { json: { ...ids, restored: true }, ...more }));

test("DUR14 a restored run sets its alarm again, although its storage has the same time", async () => {
  const api = deploy();
  await api.fetch("/api/runs", { json: { workflowId: "token", runId: "r", delay: "1h" } });
  api.evict("r");
  const storage = api.storageOf("r");
  const calls: string[] = [];
  for (const name of ["setAlarm", "deleteAlarm"] as const) {
    const original: (at: number) => Promise<void> = storage[name].bind(storage);
    vi.spyOn(storage, name).mockImplementation((at?: number) => (calls.push(name), original(at ?? 0)));
  }
  expect(await restore(api, { runIds: ["r"] })).toEqual({ status: 202, body: { told: 1, unknown: 0 } });
  expect(calls[calls.indexOf("deleteAlarm") + 1]).toBe("setAlarm");
  await expect.poll(() => storage.alarmAt).toBe((storage.rows.get("record") as { startAt: number }).startAt);
});

test("DUR14 RUN2 a restored run reserves its key, which the back-up may lack, and takes no key from another run", async () => {
  const api = deploy();
  for (const runId of ["r", "s"])
    await api.fetch("/api/runs", { json: { workflowId: "token", runId, idempotencyKey: `key of ${runId}` } });
  const [r, s] = ["key of r", "key of s"].map((key) => api.storageOf(idFromKey(key)));
  r?.rows.clear();
  s?.rows.set("reserved", { v: 1, runId: "other" });
  expect(await restore(api, { runIds: ["r", "s"] })).toMatchObject({ body: { told: 2 } });
  expect([r, s].map((storage) => storage?.rows.get("reserved"))).toEqual([
    { v: 1, runId: "r" },
    { v: 1, runId: "other" },
  ]);
});

test("DUR14 a run that cannot be visited fails the request, and an object without a run does not", async () => {
  const api = deploy();
  await api.fetch("/api/runs", { json: { workflowId: "token", runId: "r" } });
  expect(await restore(api, { runIds: ["r", "absent"] })).toMatchObject({ body: { told: 1, unknown: 1 } });
  vi.spyOn(api.storageOf("r"), "deleteAlarm").mockRejectedValue(new Error("the disk is full"));
  // The acknowledgement of the index may need the disk too.
  expectOutput("a failing disk", /holdfast: (?:a request to a run|the run's storage) failed/);
  expect(await restore(api, { runIds: ["r"] })).toMatchObject({
    status: 500,
    body: { error: "internal_error", message: expect.stringMatching(/^r: /) },
  });
});

test("DUR14 SEC7 the visit of restored runs needs the scope admin", async () => {
  const verifyRequest = bearerAuth([{ token: tokenOf("ann"), subject: "ann", scopes: ["operate"] }]);
  const api = new FakeDeployment(workflows, { verifyRequest });
  const headers = { Authorization: `Bearer ${tokenOf("ann")}` };
  expect(await restore(api, { runIds: ["r"] }, { headers })).toMatchObject({ status: 403 });
});
