/** tests: what workflows in this process and in another one declare about events, and which version of the Worker decides */
import { describeWorkflow, type StepDispatcher, type WorkflowDescription } from "@holdfast/protocol";
import { type Workflow, event, workflow } from "@holdfast/workflows";
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

class Deployment {
  /** The objects that come into being from now on are of this version of the Worker. */
  dispatcher: StepDispatcher;
  readonly coordinators: FakeCoordinators;
  readonly api: FakeDeployment;

  constructor(dispatcher: StepDispatcher) {
    this.dispatcher = dispatcher;
    this.coordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO, dispatcher: this.dispatcher }));
    const coordinatorDO = this.coordinators.binding;
    const objects = { coordinatorDO, dispatcher: { ...dispatcher } };
    this.api = new FakeDeployment([], { coordinatorDO }, dispatcher, objects);
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

describe("workflows in this process", () => {
  test("EVT2 a declaration that is invalid is refused where the workflows are registered", () => {
    const on = [{ id: "t", event: cancelled, where: { "dat.a": { eq: 1 } } }];
    const bad = workflow({ id: "order", on, run: () => "done" });
    expect(() => createInlineDispatcher({ workflows: [bad] })).toThrow(
      'workflow("order").on[0].where.dat.a: the path must begin with one of name, data, at, source.',
    );
  });
});
