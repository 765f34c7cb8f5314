/** tests: what workflows in this process and in another one declare about events, and which version of the Worker decides */
import { describeWorkflow, type StepDispatcher, type WorkflowDescription } from "@holdfast/protocol";
import { type Workflow, event, workflow } from "@holdfast/workflows";
import { createHmac } from "node:crypto";
import * as v from "valibot";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createInlineDispatcher } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

afterEach(() => vi.restoreAllMocks());

const cancelled = event<{ order: { id: unknown } }>("order.cancelled", { key: "order.id" });

const order = workflow({
  id: "order",
  cancelOn: [{ event: cancelled, key: "orderId" }],
  run: (_input: { orderId: unknown }, ctx) => ctx.waitForSignal("go"),
});
const parent = workflow({
  id: "parent",
  run: (input: { orderId: unknown }, ctx) => ctx.invoke(order, input, { detach: true }),
});

/** The pipe to a process with the code of the workflows, and what it lists. */
function elsewhere(
  workflows: readonly Workflow[],
  listed: readonly WorkflowDescription[] = workflows.map(describeWorkflow),
): StepDispatcher {
  const code = createInlineDispatcher({ workflows });
  return { start: (start, port) => code.start(start, port), workflows: async () => JSON.parse(JSON.stringify(listed)) };
}

const SECRET = "secret of acme";

class Deployment {
  /** The version of the Worker that the objects of events get, and that of runs. */
  readonly version: { events: StepDispatcher; runs: StepDispatcher };
  /** How far the clock of the events is ahead, ms. */
  aheadMs = 0;
  readonly coordinators: FakeCoordinators;
  readonly api: FakeDeployment;

  constructor(dispatcher: StepDispatcher) {
    const version = { events: dispatcher, runs: dispatcher };
    this.version = version;
    const clock = (): number => Date.now() + this.aheadMs;
    this.coordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO, dispatcher: version.events, clock }));
    const coordinatorDO = this.coordinators.binding;
    const objects = {
      coordinatorDO,
      get dispatcher() {
        return version.runs;
      },
    };
    const hooks = { acme: { verify: { type: "github" as const, secret: SECRET } } };
    this.api = new FakeDeployment([], { coordinatorDO, hooks }, dispatcher, objects);
  }

  async ask(path: string, json?: unknown) {
    const answer = await this.api.fetch(path, json === undefined ? {} : { json });
    return { status: answer.status, body: await answer.json() };
  }

  trigger(runId: string, workflowId: string, input: unknown) {
    return this.ask("/api/runs", { runId, workflowId, input });
  }

  send(id: string, name: string, data: unknown) {
    return this.ask("/api/events", { id, name, data });
  }

  async statusOf(runId: string): Promise<string> {
    return (await this.ask(`/api/runs/${runId}`)).body.status;
  }
}

describe("workflows in another process", () => {
  test("EVT14 cancelOn cancels the run whose input has the key of the event, and no other", async () => {
    const deployed = new Deployment(elsewhere([order]));
    for (const id of ["o-1", "o-2", "17", "true", "."]) await deployed.trigger(`run ${id}`, "order", { orderId: id });
    await deployed.trigger("number", "order", { orderId: 17 });
    await deployed.trigger("boolean", "order", { orderId: true });
    for (const id of ["o-1", 17, true, "."])
      expect((await deployed.send(`e ${id}`, "order.cancelled", { order: { id } })).status).toBe(202);
    for (const runId of ["run o-1", "run 17", "run true", "run .", "number", "boolean"])
      await vi.waitFor(async () => expect([runId, await deployed.statusOf(runId)]).toEqual([runId, "cancelled"]));
    expect(await deployed.statusOf("run o-2")).toBe("waiting");
  });

  test("EVT9 a number that JSON readers round is no key: it could be the key of another order", async () => {
    const deployed = new Deployment(elsewhere([order]));
    const orderId = 12_345_678_901_234_567_890n;
    await deployed.trigger("o-1", "order", { orderId: Number(orderId) });
    const sent = await deployed.send("e-1", "order.cancelled", { order: { id: Number(orderId + 1n) } });
    expect(sent).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/above 9007199254740991.*text/) },
    });
    expect(await deployed.statusOf("o-1")).toBe("waiting");
    expect((await deployed.send("e-2", "order.cancelled", { order: { id: 2 ** 53 - 1 } })).status).toBe(202);
  });

  test("EVT2 EVT14 while the process does not answer, its last known list decides, and later its new one", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    let list: readonly Workflow[] | undefined;
    const dispatcher = {
      ...elsewhere([order]),
      workflows: async () => {
        if (list === undefined) throw new Error("connection refused");
        return elsewhere(list).workflows();
      },
    };
    const deployed = new Deployment(dispatcher);
    const targets = async (id: string) => {
      const { status, body } = await deployed.send(id, "order.cancelled", { order: { id: "o-1" } });
      return [status, body.targets?.length];
    };
    expect(await targets("e-1")).toEqual([502, undefined]);
    list = [order];
    expect(await targets("e-1")).toEqual([202, 1]);
    list = undefined;
    deployed.aheadMs = 120_000;
    expect([await targets("e-2"), await targets("e-3")]).toEqual([
      [202, 1],
      [202, 1],
    ]);
    // It was asked once meanwhile.
    expect(log).toHaveBeenCalledTimes(2);
    list = [];
    deployed.aheadMs = 126_000;
    expect(await targets("e-4")).toEqual([202, 0]);
  });

  test("EVT14 cancelOn cancels a run that another run started", async () => {
    const deployed = new Deployment(elsewhere([order, parent]));
    await deployed.trigger("p", "parent", { orderId: "o-1" });
    await vi.waitFor(async () => expect(await deployed.statusOf("p")).toBe("completed"));
    const { runId } = (await deployed.ask("/api/runs/p")).body.output;
    await deployed.send("e-1", "order.cancelled", { order: { id: "o-1" } });
    await vi.waitFor(async () => expect(await deployed.statusOf(runId)).toBe("cancelled"));
  });

  test("EVT14 an input without a valid key at the path starts a run that no event cancels", async () => {
    const deployed = new Deployment(elsewhere([order]));
    const inputs = [
      {},
      null,
      { orderId: "" },
      { orderId: "x".repeat(1_000) },
      { orderId: "a\u0001b" },
      { orderId: {} },
    ];
    for (const [n, input] of inputs.entries())
      expect([input, (await deployed.trigger(`r-${n}`, "order", input)).status]).toEqual([input, 201]);
    expect([...deployed.coordinators.storages.keys()]).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["cancelOn", { cancelOn: [{ event: { name: "e" }, key: "a" }] }, "cancelOn[0].event: the event must declare a key"],
    ["cancelOn", { cancelOn: [{ event: { name: "e", key: "a" } }] }, "cancelOn[0].key: must be a path"],
    ["on", { on: [{ id: "t", event: { name: "e" }, where: { "data.a": { like: 1 } } }] }, "on[0].where.data.a.like"],
    ["events", { events: [{ name: "" }] }, "events[0].name: must not be empty"],
  ])("EVT2 FLOW1 a run of a workflow whose %s is invalid is refused, with the place %j", async (_what, flow, place) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const deployed = new Deployment(elsewhere([order], [{ id: "order", flow }]));
    const refused = await deployed.trigger("r", "order", { orderId: "o-1" });
    expect(refused).toMatchObject({ status: 501, body: { message: expect.stringContaining(place) } });
    expect((await deployed.ask("/api/runs/r")).status).toBe(404);
  });
});

describe("two versions of the Worker", () => {
  const paid = event<{ cents: number }>("order.paid", { key: "orderId" });
  const versioned = (gte: number): Workflow =>
    workflow({ id: "large", on: [{ id: "paid", event: paid, where: { "data.cents": { gte } } }], run: () => gte });
  const added = workflow({ id: "added", on: [{ id: "paid", event: paid }], run: () => "new" });
  const older = createInlineDispatcher({ workflows: [versioned(100)] });
  const newer = createInlineDispatcher({ workflows: [versioned(500), added] });

  test("EVT2 each event is decided once, by the version of its object, also if its repetition meets the other one", async () => {
    const deployed = new Deployment(older);
    const triggersOf = (body: { targets: { workflowId?: string }[] }): (string | undefined)[] =>
      body.targets.map(({ workflowId }) => workflowId);
    for (let n = 0; n < 6; n++) {
      const [first, second] = n % 2 === 0 ? [older, newer] : [newer, older];
      deployed.version.events = first;
      const sent = await deployed.send(`e-${n}`, "order.paid", { cents: 200, orderId: "o" });
      expect(triggersOf(sent.body)).toEqual([undefined, first === older ? "large" : "added"]);
      deployed.version.events = second;
      deployed.coordinators.evict();
      const again = await deployed.send(`e-${n}`, "order.paid", { cents: 200, orderId: "o" });
      expect(again).toEqual({ status: 202, body: { ...sent.body, state: "duplicate" } });
    }
  });

  test("EVT2 EVT3 a run whose object is of a version without the workflow starts when that has it", async () => {
    const deployed = new Deployment(newer);
    deployed.version.runs = older;
    await deployed.send("e-1", "order.paid", { cents: 5 });
    const stands = (): Promise<{ state: string; code?: string }> =>
      deployed.ask("/api/events/e-1").then(({ body }) => body.targets[0]);
    await vi.waitFor(async () =>
      expect(await stands()).toMatchObject({ state: "pending", code: "WORKFLOW_NOT_FOUND" }),
    );
    deployed.version.events = older;
    deployed.coordinators.evict();
    const name = "event\u0001\u0001e-1";
    deployed.aheadMs += 60_000;
    await deployed.coordinators.fireAlarm(name);
    expect(await stands()).toMatchObject({ state: "pending", code: "WORKFLOW_NOT_FOUND" });
    // An object gets another version when it is created again.
    deployed.version.runs = newer;
    deployed.api.storages.clear();
    deployed.aheadMs += 600_000;
    await deployed.coordinators.fireAlarm(name);
    await vi.waitFor(async () => expect(await stands()).toMatchObject({ state: "started" }));
    expect(await stands()).not.toHaveProperty("code");
  });

  test("EVT1 a stored event is read, and its repetition answered, also while no declaration can be read", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const deployed = new Deployment(elsewhere([order]));
    await deployed.send("e-1", "order.cancelled", { order: { id: "o-1" } });
    deployed.version.events = { ...elsewhere([]), workflows: () => Promise.reject(new Error("down")) };
    deployed.coordinators.evict();
    expect(await deployed.send("e-2", "order.cancelled", { order: { id: "o-1" } })).toMatchObject({ status: 502 });
    const other = await deployed.send("e-1", "order.cancelled", { order: { id: { no: "key" } } });
    expect(other).toMatchObject({ status: 202, body: { state: "duplicate", targets: [{ topic: "o-1" }] } });
    expect((await deployed.ask("/api/events/e-1")).body).toMatchObject({ data: { order: { id: "o-1" } } });
  });
});

describe("schemas and functions of workflows in this process", () => {
  const schema = v.object({ orderId: v.string(), cents: v.pipe(v.number(), v.minValue(1)) });
  const paid = event("order.paid", { schema, key: "orderId" });
  const large = workflow({
    id: "large",
    on: [
      { id: "large", event: paid, where: ({ cents }) => cents >= 100 },
      { id: "throws", event: paid, where: () => (null as never as { readonly a: { readonly b: boolean } }).a.b },
    ],
    run: () => "done",
  });
  const sends = workflow({ id: "sends", run: (input: unknown, ctx) => ctx.sendEvent(paid, input as never) });
  const here = createInlineDispatcher({ workflows: [large, sends] });
  const issue = { path: "/cents", message: expect.stringContaining("number") };

  test("EVT2 a function decides, and the test and the record say what it returned or threw", async () => {
    const deployed = new Deployment(here);
    const threw = { trigger: "throws", reason: expect.stringContaining("where: the function threw Cannot read") };
    const small = { trigger: "large", reason: "where: the function returned false" };
    const tested = await deployed.ask("/api/events/test", { name: "order.paid", data: { orderId: "o", cents: 5 } });
    expect(tested).toMatchObject({ status: 200, body: { matches: [], unmatched: [small, threw] } });
    const sent = await deployed.send("e-1", "order.paid", { orderId: "o", cents: 100 });
    expect(sent.body.targets).toMatchObject([{ topic: "o" }, { trigger: "large" }]);
    expect((await deployed.ask("/api/events/e-1")).body.unmatched).toMatchObject([threw]);
  });

  test("EVT2 a function of a workflow in another process is refused for its events and its runs, with its place", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const deployed = new Deployment(elsewhere([large]));
    expect(await deployed.send("e-1", "order.paid", { orderId: "o", cents: 5 })).toMatchObject({ status: 503 });
    const refused = await deployed.trigger("r", "large", {});
    expect(refused.body.message).toContain('workflow("large").on[0].where: is a function, and this deployment calls');
  });

  test("EVT16 data that the schema refuses is answered 422 with the issues, and nothing is stored", async () => {
    const deployed = new Deployment(here);
    const refused = { status: 422, body: { error: "invalid_event_data", details: { issues: [issue] } } };
    const data = { orderId: "o", cents: "5" };
    expect(await deployed.send("e-1", "order.paid", data)).toMatchObject(refused);
    expect(await deployed.ask("/api/events/test", { name: "order.paid", data })).toMatchObject(refused);
    expect((await deployed.ask("/api/events/e-1")).status).toBe(404);
    for (const { kv } of deployed.coordinators.storages.values()) expect([...kv.list({})]).toEqual([]);
    expect(await deployed.send("e-1", "order.paid", { orderId: "o", cents: 5 })).toMatchObject({ status: 202 });
    expect(await deployed.send("e-1", "order.paid", data)).toMatchObject({ status: 202, body: { state: "duplicate" } });
    expect(await deployed.send("e-2", "order.other", data)).toMatchObject({ status: 202 });
  });

  test("EVT16 a webhook whose data the schema refuses is answered 422, and accepted when the schema is corrected", async () => {
    const deployed = new Deployment(here);
    const body = JSON.stringify({ id: "h-1", orderId: "o", cents: "5" });
    const deliver = async () => {
      const signature = createHmac("sha256", SECRET).update(body).digest("hex");
      const headers = { "X-Hub-Signature-256": `sha256=${signature}`, "X-GitHub-Event": "order.paid" };
      const request = new Request("https://flows.example/hooks/acme", { method: "POST", body, headers });
      return (await deployed.api.handle(request)).status;
    };
    expect(await deliver()).toBe(422);
    expect((await deployed.ask("/api/events/hook_acme_h-1")).status).toBe(404);
    deployed.version.events = createInlineDispatcher({ workflows: [sends] });
    deployed.coordinators.evict();
    expect(await deliver()).toBe(202);
  });

  test("EVT16 ctx.sendEvent rejects with the issues, and sends nothing", async () => {
    const deployed = new Deployment(here);
    await deployed.trigger("bad", "sends", { orderId: "o", cents: "5" });
    await vi.waitFor(async () => expect(await deployed.statusOf("bad")).toBe("failed"));
    expect((await deployed.ask("/api/runs/bad")).body.error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/^ctx\.sendEvent\.data: cents: /),
    });
    expect([...deployed.coordinators.storages.keys()]).toEqual([]);
    await deployed.trigger("good", "sends", { orderId: "o", cents: 5 });
    await vi.waitFor(async () => expect(await deployed.statusOf("good")).toBe("completed"));
  });
});

describe("workflows in this process", () => {
  test("EVT2 a declaration that is invalid is refused where the workflows are registered", () => {
    const on = [{ id: "t", event: cancelled, where: { "dat.a": { eq: 1 } } }];
    const bad = workflow({ id: "order", on, run: () => "done" });
    expect(() => createInlineDispatcher({ workflows: [bad] })).toThrow(
      'workflow("order").on[0].where.dat.a: the path must begin with one of name, data, at, source.',
    );
  });
});
