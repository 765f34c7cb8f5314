/** tests: triggers of workflows with limits: what is asked before a run exists, and what is refused */
import { type Workflow, limit, workflow } from "@holdfast/workflows";
import { LIMITS, type StepDispatcher, describeWorkflow } from "@holdfast/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createInlineDispatcher } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

afterEach(() => vi.restoreAllMocks());

interface Order {
  readonly customer: string;
}

const waits = (id: string, more: object): Workflow =>
  workflow<unknown>({ id, run: async (_input, ctx) => ctx.waitForSignal("go"), ...more });

const key = "input.customer";
const single = waits("single", { singleton: { key } });
const rejecting = waits("rejecting", { limits: [limit("desk", { key, max: 1, onFull: "reject" }).hold("run")] });
const rated = waits("rated", { limits: [limit("rate", { rate: { limit: 1, per: "1m" }, onFull: "reject" })] });

function deployment(workflows: readonly Workflow[], dispatcher?: StepDispatcher): FakeDeployment {
  const coordinators: FakeCoordinators = new FakeCoordinators(() => ({ runDO: api.runDO }));
  const coordinatorDO = coordinators.binding;
  const given = { coordinatorDO, rev: 1, ...(dispatcher === undefined ? {} : { dispatcher }) };
  const api: FakeDeployment = new FakeDeployment([...workflows], { coordinatorDO }, undefined, given);
  return api;
}

async function trigger(api: FakeDeployment, runId: string, workflowId: string, more: object = {}) {
  const answer = await api.fetch("/api/runs", { json: { runId, workflowId, input: { customer: "c1" }, ...more } });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
}

describe("triggers of workflows with limits", () => {
  test("L6 a trigger that a full limit rejects is answered 429, and stores nothing, not even its key", async () => {
    const api = deployment([rejecting]);
    expect((await trigger(api, "a", "rejecting")).status).toBe(201);
    const refused = await trigger(api, "b", "rejecting", { idempotencyKey: "k" });
    expect(refused).toMatchObject({
      status: 429,
      body: { error: "limit_full", message: expect.stringContaining("desk") },
    });
    expect((await api.fetch("/api/runs/b")).status).toBe(404);
    expect((await trigger(api, "c", "rejecting", { input: { customer: "c2" }, idempotencyKey: "k" })).status).toBe(201);
  });

  test("L6 a rejected trigger says when a rate admits the next run", async () => {
    const api = deployment([rated]);
    expect((await trigger(api, "a", "rated")).status).toBe(201);
    const refused = await trigger(api, "b", "rated");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(50);
  });

  test("L6 a trigger that a singleton skips is answered with the run that holds, and the next one after its end starts", async () => {
    const api = deployment([single]);
    await trigger(api, "a", "single");
    const skipped = await trigger(api, "b", "single", { idempotencyKey: "k" });
    expect(skipped).toMatchObject({ status: 200, body: { id: "a", workflowId: "single", skipped: true } });
    expect((await api.fetch("/api/runs/b")).status).toBe(404);
    await api.fetch("/api/runs/a/cancel", { json: {} });
    await vi.waitFor(async () => {
      const again = await trigger(api, "b", "single", { idempotencyKey: "k" });
      expect(again).toMatchObject({ status: 201, body: { id: "b", limits: [{ state: "held", key: "c1" }] } });
    });
    expect(await trigger(api, "b", "single", { idempotencyKey: "k" })).toMatchObject({
      status: 200,
      body: { id: "b" },
    });
  });

  test("FLOW2 a key that is no text, number or boolean is answered 422, and stores nothing", async () => {
    const api = deployment([single]);
    const refused = await trigger(api, "a", "single", { input: { customer: {} } });
    expect(refused).toMatchObject({ status: 422, body: { error: "limit_key_invalid" } });
    expect((await api.fetch("/api/runs/a")).status).toBe(404);
  });

  test("WIN5 a trigger that is collected is refused if no run could start for it", async () => {
    const limits = [limit("desk", { key, max: 1 })];
    const debounced = waits("debounced", { limits, debounce: { wait: "1h" } });
    const batched = waits("batched", { limits, batch: { max: 2, wait: "1h" } });
    const api = deployment([debounced, batched]);
    const refused = { status: 422, body: { error: "limit_key_invalid" } };
    expect(await trigger(api, "", "debounced", { runId: undefined, input: {} })).toMatchObject(refused);
    expect(await trigger(api, "", "debounced", { runId: undefined })).toMatchObject({ status: 202 });
    const ofList = await trigger(api, "", "batched", { runId: undefined });
    expect(ofList).toMatchObject(refused);
    expect(ofList.body["message"]).toContain("list");
  });

  test("WIN5 an input that a list cannot hold is refused, and the batch starts without it", async () => {
    const api = deployment([waits("plain", { batch: { max: 2, wait: "1h" } })]);
    const send = (input: unknown) => trigger(api, "", "plain", { runId: undefined, input });
    const levels = LIMITS.valueDepth + 1;
    const deep = JSON.parse(`${"[".repeat(levels)}1${"]".repeat(levels)}`) as unknown;
    const [first, tooDeep] = [await send(1), await send(deep)];
    expect(first.status).toBe(202);
    expect(tooDeep).toMatchObject({ status: 400, body: { error: "invalid_body" } });
    expect(await send(2)).toMatchObject({ status: 202, body: { id: first.body["id"], count: 2 } });
    await vi.waitFor(async () => expect((await api.fetch(`/api/runs/${String(first.body["id"])}`)).status).toBe(200));
  });

  test("FLOW1 limits of a step handler in another process apply with paths as keys, and a function is refused", async () => {
    const byFunction = waits("byFunction", { limits: [limit("f", { key: (input: Order) => input.customer, max: 1 })] });
    const inline = createInlineDispatcher({ workflows: [single, byFunction] });
    const listed = structuredClone([single, byFunction].map(describeWorkflow));
    const api = deployment([], {
      start: (start, port) => inline.start(start, port),
      workflows: () => Promise.resolve(listed),
    });
    expect(await trigger(api, "a", "single")).toMatchObject({ status: 201, body: { limits: [{ key: "c1" }] } });
    expect(await trigger(api, "b", "single")).toMatchObject({ status: 200, body: { skipped: true } });
    const refused = await trigger(api, "c", "byFunction");
    expect(refused).toMatchObject({ status: 501, body: { error: "limits_not_configured" } });
    expect(refused.body["message"]).toContain('workflow("byFunction").limits[0].key: is a function');
  });

  test("L9 RUN6 triggers wait for the description of a step handler that is down, and get what it says", async () => {
    const budget = waits("budget", { singleton: { key }, timeout: "1h", tags: ["billing"] });
    const inline = createInlineDispatcher({ workflows: [budget] });
    let down = true;
    const api = deployment([], {
      start: (start, port) => inline.start(start, port),
      workflows: async () => {
        if (down) throw new Error("connect ECONNREFUSED");
        return structuredClone([describeWorkflow(budget)]);
      },
    });
    const [a, b] = [await trigger(api, "a", "budget"), await trigger(api, "b", "budget")];
    for (const { status, body } of [a, b]) expect([status, body["status"]]).toEqual([201, "pending"]);
    const read = async (id: string) => (await api.fetch(`/api/runs/${id}`)).json();
    expect(await read("a")).toMatchObject({ dispatch: { code: "DISPATCH_FAILED", message: "connect ECONNREFUSED" } });
    expect(await trigger(api, "a", "budget")).toMatchObject({ status: 200, body: { id: "a" } });
    down = false;
    await vi.waitFor(
      async () => {
        for (const id of ["a", "b"]) await api.alarm(id);
        const runs = (await Promise.all([read("a"), read("b")])) as { readonly id: string; readonly status: string }[];
        const holder = runs.find(({ status }) => status === "waiting");
        expect(holder).toMatchObject({ timeoutMs: 3_600_000, tags: ["billing"], limits: [{ state: "held" }] });
        const reason = expect.stringContaining(`run ${holder?.id} holds the limit`);
        expect(runs.find((run) => run !== holder)).toMatchObject({ status: "cancelled", error: { message: reason } });
      },
      { timeout: 20_000, interval: 500 },
    );
    // The list is known now.
    expect(await trigger(api, "c", "budget", { input: { customer: "c9" } })).toMatchObject({
      status: 201,
      body: { timeoutMs: 3_600_000, tags: ["billing"], limits: [{ state: "held" }] },
    });
  }, 180_000);

  test("FLOW1 an inline deployment refuses an invalid declaration when it is loaded", () => {
    const wrong = waits("wrong", { limits: [limit("x", {})] });
    expect(() => createInlineDispatcher({ workflows: [wrong] })).toThrow('workflow("wrong").limits[0]: needs max');
  });

  test("FLOW1 a run of a workflow with limits is refused without the objects of limits", async () => {
    const api = new FakeDeployment([single]);
    expect(await trigger(api, "a", "single")).toMatchObject({
      status: 501,
      body: { error: "limits_not_configured", message: expect.stringContaining("COORDINATOR_DO") },
    });
  });
});
