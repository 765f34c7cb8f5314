/** tests: limits through the API: runs that wait, what operators see, and what they change */
import { limit, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { describe, expect, test, vi } from "vitest";
import { type VerifyRequest, durableObjectIndex } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { countedSamples } from "../src/telemetry/counters.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";

interface Order {
  readonly customer: string;
}

const perCustomer = limit("customer", { key: (order: Order) => order.customer, max: 1 });

const order = workflow({
  id: "order",
  limits: [perCustomer.hold("run")],
  run: async (_input: Order, ctx) => ctx.waitForSignal("go"),
});
const single = workflow({
  id: "single",
  singleton: { key: "input.customer" },
  run: async (_input: Order, ctx) => ctx.waitForSignal("go"),
});

const free = workflow({ id: "free", run: async (_input: Order, ctx) => ctx.waitForSignal("go") });
const mail = workflow({ id: "mail", debounce: { key: "input.to", wait: "1h" }, run: async (input: unknown) => input });
const rows = workflow({ id: "rows", batch: { max: 2, wait: "1h" }, run: async (input: unknown) => input });

const GATE = "gate\u0001\u0001customer\u0002c1";

class Deployment {
  readonly coordinators: FakeCoordinators;
  readonly api: FakeDeployment;
  readonly client;

  /** `tenant`: of callers that name none. Without it there are no tenants. */
  constructor(tenant?: string) {
    const index = durableObjectIndex({ binding: new FakeIndexNamespace() });
    this.coordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO }));
    const coordinatorDO = this.coordinators.binding;
    const verifyRequest: VerifyRequest = ({ headers }) => ({
      subject: "ops",
      scopes: ["read", "trigger", "deliver", "operate"],
      ...(tenant === undefined ? {} : { tenantId: headers.get("Tenant") ?? tenant }),
    });
    this.api = new FakeDeployment(
      [order, single, free, mail, rows],
      { runIndex: index, coordinatorDO, verifyRequest },
      undefined,
      {
        runIndex: index,
        coordinatorDO,
        rev: 1,
      },
    );
    this.client = createClient({
      url: "https://flows.example",
      token: "t",
      fetch: (request) => this.api.handle(request),
    });
  }

  async start(runId: string, customer = "c1", workflowId = "order"): Promise<void> {
    await this.api.fetch("/api/runs", { json: { runId, workflowId, input: { customer } } });
  }

  async status(runId: string): Promise<string> {
    return (await this.client.run(runId).get({ view: "summary" })).status;
  }
}

describe("limits", () => {
  test("L1 the second run of a key waits until the first has ended, and a run of another key does not", async () => {
    const deployed = new Deployment();
    const { client } = deployed;
    await deployed.start("a");
    await vi.waitFor(async () => expect(await deployed.status("a")).toBe("waiting"));
    await deployed.start("b");
    await deployed.start("c", "c2");
    await vi.waitFor(async () => expect(await deployed.status("c")).toBe("waiting"));
    await vi.waitFor(async () =>
      expect(await client.limit("customer", "c1").get()).toMatchObject({
        name: "customer",
        key: "c1",
        max: 1,
        held: 1,
        holders: [{ runId: "a", workflowId: "order", mode: "run" }],
        queued: 1,
        queue: [{ runId: "b" }],
        next: "b",
      }),
    );
    expect(await deployed.status("b")).toBe("pending");
    await client.run("a").signal("go");
    await vi.waitFor(async () => expect(await deployed.status("b")).toBe("waiting"));
  });

  test("GATE9 the list has the limits at which a run waits, and no others", async () => {
    const deployed = new Deployment();
    const { client } = deployed;
    await deployed.start("a");
    await deployed.start("b");
    await deployed.start("c", "c2");
    const names = async () => {
      const found = [];
      for await (const one of client.limits()) found.push([one.name, one.key, one.queued]);
      return found;
    };
    await vi.waitFor(async () => expect(await names()).toEqual([["customer", "c1", 1]]));
    const none = [];
    for await (const one of client.limits({ name: "custom" })) none.push(one);
    expect(none).toEqual([]);
  });

  test("GATE8 an operator changes max, pauses and kicks, and the answers show it", async () => {
    const deployed = new Deployment();
    const { client } = deployed;
    const customer = client.limit("customer", "c1");
    await deployed.start("a");
    await vi.waitFor(async () => expect(await deployed.status("a")).toBe("waiting"));
    for (const id of ["b", "c"]) await deployed.start(id);
    await vi.waitFor(async () => expect(await customer.get()).toMatchObject({ queued: 2 }));
    expect(await customer.setMax(2)).toMatchObject({
      max: 2,
      declaredMax: 1,
      override: { max: 2, by: "ops" },
      held: 2,
    });
    await vi.waitFor(async () => expect(await deployed.status("b")).toBe("waiting"));
    expect(await customer.pause()).toMatchObject({ paused: { by: "ops" } });
    expect(await customer.kick("b")).toMatchObject({ held: 1, queued: 1 });
    await vi.waitFor(async () => expect(await deployed.status("b")).toBe("cancelled"));
    expect(await customer.unpause()).toMatchObject({ held: 2, queued: 0 });
    await vi.waitFor(async () => expect(await deployed.status("c")).toBe("waiting"));
    expect(await customer.setMax(null)).toMatchObject({ max: 1, held: 2 });
    await expect(customer.kick("x")).rejects.toMatchObject({ code: "not_found" });
    await expect(client.limit("customer", "nobody").get()).rejects.toMatchObject({ code: "not_found" });
  });

  test("FLOW1 a singleton skips a run of the same key while another one exists", async () => {
    const deployed = new Deployment();
    await deployed.start("a", "c1", "single");
    await vi.waitFor(async () => expect(await deployed.status("a")).toBe("waiting"));
    await deployed.start("b", "c1", "single");
    await deployed.start("c", "c2", "single");
    await vi.waitFor(async () => expect(await deployed.status("c")).toBe("waiting"));
    expect(await deployed.client.limit("singleton:single", "c1").get()).toMatchObject({
      holders: [{ runId: "a" }],
      queued: 0,
    });
  });

  test("OBS3 what a limit decides is counted once, also if the request is repeated", async () => {
    // A tenant of its own: what other tests began may still be counted.
    const counted = (): object =>
      Object.fromEntries(
        (countedSamples({ tenantId: "counted" })["holdfast_limit_decisions_total"] ?? []).map(([[decision], value]) => [
          decision,
          value,
        ]),
      );
    const deployed = new Deployment("counted");
    await deployed.start("a");
    await vi.waitFor(async () => expect(await deployed.status("a")).toBe("waiting"));
    await deployed.start("b");
    await vi.waitFor(async () => expect((await deployed.client.limit("customer", "c1").get()).queued).toBe(1));
    await deployed.client.run("a").signal("go");
    await vi.waitFor(async () => expect(await deployed.status("b")).toBe("waiting"));
    expect(counted()).toEqual({ granted: 1, queued: 1, granted_later: 1 });
  });

  test("L5 runs state what they hold again after the storage of a limit is lost", async () => {
    const deployed = new Deployment();
    const { client, coordinators } = deployed;
    await deployed.start("a");
    await vi.waitFor(async () => expect(await deployed.status("a")).toBe("waiting"));
    // The index names no limit of it, so it is not asked.
    await deployed.start("b", "c1", "free");
    await vi.waitFor(async () => expect(await deployed.status("b")).toBe("waiting"));
    await vi.waitFor(async () => expect((await client.list({ status: "waiting" })).runs).toHaveLength(2));
    coordinators.storages.delete(GATE);
    const fresh = new FakeCoordinators(() => ({ runDO: deployed.api.runDO }));
    Object.assign(coordinators, { open: (name: string) => fresh.open(name) });
    await expect(client.limit("customer", "c1").get()).rejects.toMatchObject({ code: "not_found" });
    await vi.waitFor(async () => expect(await client.rebuildLimits()).toBe(1));
    await vi.waitFor(async () =>
      expect(await client.limit("customer", "c1").get()).toMatchObject({ holders: [{ runId: "a" }] }),
    );
  });

  test("WIN1 a debounced trigger is answered with the run that will start, which takes no id of the caller", async () => {
    const { api } = new Deployment();
    const send = async (more: object) => {
      const answer = await api.fetch("/api/runs", { json: { workflowId: "mail", input: { to: "ann" }, ...more } });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const first = await send({});
    expect(first).toMatchObject({ status: 202, body: { status: "pending", state: "debounced", count: 1 } });
    const again = await send({ idempotencyKey: "k" });
    expect(again).toMatchObject({ status: 202, body: { id: first.body["id"], count: 2 } });
    expect(await send({ idempotencyKey: "k" })).toEqual(again);
    expect(await send({ runId: "mine" })).toMatchObject({ status: 400, body: { error: "invalid_body" } });
    expect(await send({ input: {} })).toMatchObject({ status: 422, body: { error: "limit_key_invalid" } });
    expect((await api.fetch(`/api/runs/${String(first.body["id"])}`)).status).toBe(404);
  });

  test("WIN4 a full batch is one run with all inputs", async () => {
    const { client } = new Deployment();
    const first = await client.trigger("rows", 1);
    const second = await client.trigger("rows", 2);
    expect(second.id).toBe(first.id);
    await vi.waitFor(async () => expect(await client.run(first.id).result()).toEqual([1, 2]));
  });

  test("GATE10 a limit belongs to the tenant: another tenant neither sees it nor waits for it", async () => {
    const deployed = new Deployment("t1");
    const post = (tenant: string, runId: string) =>
      deployed.api.fetch("/api/runs", {
        headers: { Tenant: tenant },
        json: { runId, workflowId: "order", input: { customer: "c1" } },
      });
    await post("t1", "a");
    await post("t2", "a");
    const read = async (tenant: string) =>
      (await (await deployed.api.fetch("/api/limits/customer/c1", { headers: { Tenant: tenant } })).json()) as object;
    await vi.waitFor(async () => {
      expect(await read("t1")).toMatchObject({ held: 1, queued: 0 });
      expect(await read("t2")).toMatchObject({ held: 1, queued: 0 });
    });
  });

  test("FLOW1 a deployment without the class of coordinators says which binding is missing", async () => {
    const bare = new FakeDeployment([order]);
    const answer = await bare.fetch("/api/limits");
    expect(answer.status).toBe(501);
    expect(await answer.json()).toMatchObject({
      error: "limits_not_configured",
      message: expect.stringContaining("COORDINATOR_DO"),
    });
  });
});
