/** tests: `POST /api/runs/:id/terminate`, and the refusals of deliveries that no wait can take */
import { workflow } from "@holdfast/workflows";
import { beforeEach, describe, expect, test } from "vitest";
import type { Principal } from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const never = (): Promise<never> => new Promise(() => {});

const workflows = [
  workflow({
    id: "hotel",
    run: async (_input, ctx) => {
      await ctx.step("book", { compensate: never }, () => "booked");
      await ctx.waitForToken({ tokenId: "t" }).wait();
    },
  }),
];

let api: FakeDeployment;
beforeEach(() => {
  api = new FakeDeployment(workflows);
});

const start = (): Promise<Response> =>
  api.fetch("/api/runs", { json: { workflowId: "hotel", runId: "r1" }, headers: { Prefer: "wait=5" } });

const post = async (path: string, json: object = {}): Promise<{ status: number; body: Record<string, unknown> }> =>
  answerOf(await api.fetch(`/api/runs/r1/${path}`, { json }));

const read = async (): Promise<Record<string, unknown>> => (await answerOf(await api.fetch("/api/runs/r1"))).body;

describe("terminate", () => {
  test("CAN8 a run whose compensation hangs ends in the answer already, and the audit has the reason", async () => {
    await start();
    await post("signals", { name: "other", payload: 1, deliveryId: "d" });
    await post("cancel");
    await expect.poll(read).toMatchObject({
      phase: "compensating",
      steps: [{ name: "book", compensation: { status: "running", attempts: 1 } }],
    });
    expect(await post("signals", { name: "other" })).toMatchObject({ status: 409, body: { error: "run_unwinding" } });
    expect(await post("tokens/t", {})).toMatchObject({ status: 409, body: { error: "run_unwinding" } });
    expect(await post("terminate", { reason: "the hotel is closed" })).toMatchObject({
      status: 202,
      body: {
        run: {
          status: "cancelled",
          phase: "forward",
          error: { code: "TERMINATED", data: { reason: "the hotel is closed" } },
          undone: [{ name: "book", occurrence: 0 }],
          inFlight: [{ kind: "compensation", name: "book", occurrence: 0 }],
        },
      },
    });
    api.evict("r1");
    expect(await read()).toMatchObject({
      undone: [{ name: "book" }],
      leftOver: { count: 1, deliveries: [{ kind: "signal", name: "other", deliveryId: "d" }] },
    });
    const { entries } = (await answerOf(await api.fetch("/api/runs/r1/audit"))).body;
    expect(entries).toMatchObject([
      { action: "trigger" },
      { action: "deliver" },
      { action: "cancel" },
      { action: "terminate", detail: "the hotel is closed" },
    ]);
    expect(await post("terminate", { reason: "again" })).toMatchObject({
      status: 409,
      body: { error: "run_terminal" },
    });
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(204);
  });

  test("CAN8 LIM2 a reason is required, and the run must exist", async () => {
    await start();
    for (const body of [{}, { reason: "" }, { reason: 1 }, { reason: "x", more: true }])
      expect(await post("terminate", body)).toMatchObject({ status: 400, body: { error: "invalid_body" } });
    expect(await read()).toMatchObject({ status: "waiting" });
    const missing = await api.fetch("/api/runs/none/terminate", { json: { reason: "x" } });
    expect(missing.status).toBe(404);
  });

  test("CAN8 a caller needs the scope operate", async () => {
    const verifyRequest = (): Principal => ({ subject: "r", scopes: ["read", "trigger", "deliver"] });
    const guarded = new FakeDeployment(workflows, { verifyRequest });
    const answer = await guarded.fetch("/api/runs/r1/terminate", { json: { reason: "x" } });
    expect(answer.status).toBe(403);
  });
});
