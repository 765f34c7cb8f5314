/** tests: windows of debounce and batch through the API: runs that do not exist yet, and what operators change */
import { workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type StepDispatcher, type VerifyRequest, createInlineDispatcher } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const mail = workflow({ id: "mail", debounce: { key: "input.to", wait: "1h" }, run: async (input: unknown) => input });
const rows = workflow({ id: "rows", batch: { max: 9, wait: "1h" }, run: async (input: unknown) => input });

class Deployment {
  readonly coordinators: FakeCoordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO }));
  readonly api: FakeDeployment;
  readonly client;
  /** The served code has no workflows any more. */
  gone = false;

  constructor() {
    const coordinatorDO = this.coordinators.binding;
    const verifyRequest: VerifyRequest = ({ headers }) => ({
      subject: "ops",
      scopes: headers.get("Scopes") === null ? ["read", "trigger", "deliver", "operate"] : ["operate"],
      tenantId: headers.get("Tenant") ?? "t1",
    });
    const inline = createInlineDispatcher({ workflows: [mail, rows] });
    const dispatcher: StepDispatcher = {
      ...inline,
      describe: (id, version) => (this.gone ? null : (inline.describe?.(id, version) ?? null)),
    };
    this.api = new FakeDeployment([], { coordinatorDO, verifyRequest }, dispatcher, { coordinatorDO, rev: 1 });
    const fetch = (request: Request) => this.api.handle(request);
    this.client = createClient({ url: "https://flows.example", token: "t", fetch });
  }

  async ask(path: string, init: Parameters<FakeDeployment["fetch"]>[1] = {}) {
    const answer = await this.api.fetch(path, init);
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
  }
}

describe("windows", () => {
  beforeEach(() => void vi.spyOn(console, "log").mockReturnValue());
  afterEach(() => vi.restoreAllMocks());

  test("WIN6 a run that a window collects is 404 not_started with the time of its start, with and without a key", async () => {
    const { api, client, ask } = bound(new Deployment());
    const answer = await api.fetch("/api/runs", { json: { workflowId: "mail", input: { to: "ann" } } });
    const { id: plain, startsAt } = (await answer.json()) as { id: string; startsAt: number };
    const byKey = await client.trigger("mail", { to: "bob" });
    const { id, record } = byKey;
    expect(record).toEqual({ id, status: "pending", state: "debounced", startsAt: expect.any(Number), count: 1 });
    const read = await ask(`/api/runs/${plain}`);
    const details = { startsAt, state: "debounced", count: 1, workflowId: "mail", key: "ann" };
    expect(read).toMatchObject({ status: 404, body: { error: "not_started", details } });
    expect(Number(read.headers.get("Retry-After"))).toBeGreaterThan(3_000);
    for (const path of ["", "/journal", "/stream", "/audit"])
      expect(await ask(`/api/runs/${byKey.id}${path}`)).toMatchObject({ status: 404, body: { error: "not_started" } });
    expect(await ask(`/api/runs/${byKey.id}/cancel`, { json: {} })).toMatchObject({ body: { error: "not_started" } });
    expect(await ask("/api/runs/none")).toMatchObject({ status: 404, body: { error: "not_found" } });
  });

  test("SEC7 who may not read learns only when the run starts, and another tenant finds no run", async () => {
    const { client, ask } = bound(new Deployment());
    const { id } = await client.trigger("mail", { to: "ann" });
    const cancelled = await ask(`/api/runs/${id}/cancel`, { headers: { Scopes: "operate" }, json: {} });
    expect(cancelled.body["details"]).toEqual({ startsAt: expect.any(Number) });
    expect((await ask(`/api/runs/${id}`, { headers: { Tenant: "t2" } })).body).toMatchObject({ error: "not_found" });
    expect((await ask("/api/windows/mail/ann", { headers: { Tenant: "t2" } })).status).toBe(404);
  });

  test("WIN6 fire starts the run at once, and result waits for it from the trigger on", async () => {
    const { client, api } = bound(new Deployment());
    const first = await client.trigger("rows", 1);
    const result = first.result();
    expect((await client.trigger("rows", 2)).id).toBe(first.id);
    const window = client.window(rows);
    expect(await window.get()).toMatchObject({ workflowId: "rows", runId: first.id, state: "batched", count: 2 });
    expect(await window.fire()).toMatchObject({ runId: first.id, state: "fired", count: 2 });
    expect(await result).toEqual([1, 2]);
    await expect(window.get()).rejects.toMatchObject({ code: "not_found" });
    expect(api.storageOf(`\u0001t1\u0001${first.id}`).rows.has("collected")).toBe(false);
  });

  test("WIN7 a run whose start is refused for good says why, to readers only, as long as its object exists", async () => {
    const deployed = new Deployment();
    const { client, ask, api } = bound(deployed);
    const { id } = await client.trigger("rows", 1);
    const byKey = await client.trigger("mail", { to: "ann" }, { idempotencyKey: "k" });
    deployed.gone = true;
    await client.window("rows").fire();
    await client.window("mail", "ann").fire();
    for (const run of [id, byKey.id]) {
      const details = {
        state: "refused",
        code: "WORKFLOW_NOT_FOUND",
        message: expect.any(String),
        at: expect.any(Number),
      };
      const read = await ask(`/api/runs/${run}`);
      expect(read).toMatchObject({ status: 404, body: { error: "not_started", details } });
      expect(read.body["message"]).toContain("was never started");
      expect(
        (await ask(`/api/runs/${run}/cancel`, { headers: { Scopes: "operate" }, json: {} })).body["details"],
      ).toEqual({ state: "refused" });
    }
    // Nobody waits for it forever.
    await expect(client.run(id).result()).rejects.toMatchObject({ code: "not_started" });
    api.evict(`\u0001t1\u0001${id}`);
    expect((await ask(`/api/runs/${id}`)).body).toMatchObject({ error: "not_started", details: { state: "refused" } });
    expect((await ask(`/api/runs/${id}`, { headers: { Tenant: "t2" } })).body).toMatchObject({ error: "not_found" });
  });

  test("WIN6 cancel forgets the triggers: the run never exists, and a repeated trigger opens another window", async () => {
    const { client, ask, api } = bound(new Deployment());
    const { id } = await client.trigger("mail", { to: "ann" }, { idempotencyKey: "k" });
    expect(await client.window("mail", "ann").cancel()).toMatchObject({ key: "ann", runId: id, state: "cancelled" });
    expect(console.log).toHaveBeenCalledWith(expect.stringContaining("window cancelled"));
    expect((await ask(`/api/runs/${id}`)).body).toMatchObject({ error: "not_found" });
    expect(api.storageOf(`\u0001t1\u0001${id}`).rows.has("collected")).toBe(false);
    expect((await client.trigger("mail", { to: "ann" }, { idempotencyKey: "k" })).id).not.toBe(id);
    await expect(client.window("mail", "ben").cancel()).rejects.toMatchObject({ code: "not_found" });
  });
});

function bound(deployed: Deployment) {
  const { api, client } = deployed;
  return { api, client, ask: deployed.ask.bind(deployed) };
}
