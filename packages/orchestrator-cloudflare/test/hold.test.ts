/** A deployment that an operator holds: no execution begins, and alarms do nothing (DUR12). */
import { workflow } from "@holdfast/workflows";
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Deployments } from "../src/deployment/deployment.ts";
import { FakeDeployment, FakeSql, FakeStorage, answerOf } from "./fake-platform.ts";

afterEach(() => vi.restoreAllMocks());

let bodies: string[] = [];
let now = Date.UTC(2026, 0, 1);

const sleeper = workflow({
  id: "sleeper",
  run: async (_input, ctx) => {
    await ctx.step("first", () => void bodies.push("first"));
    await ctx.sleep("1s");
    const payload = await ctx.waitForSignal("go");
    await ctx.step("last", () => void bodies.push("last"));
    return payload;
  },
});

/** The same storage in a process with another value of the variable. */
function deploy(hold: boolean, before?: FakeDeployment): FakeDeployment {
  const next = new FakeDeployment([sleeper], { hold }, undefined, { hold, clock: () => now });
  for (const name of before?.storages.keys() ?? []) {
    before?.evict(name);
    next.storages.set(name, (before as FakeDeployment).storageOf(name));
  }
  return next;
}

async function run(api: FakeDeployment, id = "r"): Promise<Record<string, unknown>> {
  return (await answerOf(await api.fetch(`/api/runs/${id}`))).body;
}

async function post(api: FakeDeployment, path: string, json: object = {}): Promise<number> {
  return (await api.fetch(path, { json })).status;
}

beforeEach(() => {
  bodies = [];
  now = Date.UTC(2026, 0, 1);
});

describe("a held deployment", () => {
  test("DUR12 accepts triggers and deliveries, and begins no execution; without HOLD the run continues by its alarm", async () => {
    const held = deploy(true);
    expect(await post(held, "/api/runs", { workflowId: "sleeper", runId: "r" })).toBe(201);
    expect(await post(held, "/api/runs/r/signals", { name: "go", payload: 7 })).toBe(202);
    expect([bodies, await run(held)]).toMatchObject([
      [],
      { status: "running", invocationCount: 0, dispatch: { failures: 0, message: expect.stringContaining("HOLD") } },
    ]);
    expect((held.storageOf("r").alarmAt as number) - now).toBeLessThanOrEqual(60_000);
    const free = deploy(false, held);
    now += 60_000;
    await free.alarm("r");
    await expect.poll(() => run(free)).toMatchObject({ status: "waiting" });
    now += 1_000;
    await free.alarm("r");
    await expect.poll(() => run(free)).toMatchObject({ status: "completed", output: 7 });
    expect([bodies, (await run(free))["dispatch"]]).toEqual([["first", "last"], undefined]);
  });

  test("DUR12 a delivery after the hold begins the execution at once", async () => {
    const held = deploy(true);
    await post(held, "/api/runs", { workflowId: "sleeper", runId: "r" });
    const free = deploy(false, held);
    expect(await post(free, "/api/runs/r/signals", { name: "go" })).toBe(202);
    await expect.poll(() => run(free)).toMatchObject({ status: "waiting" });
  });

  test("DUR12 an alarm sets the next one to 60 s later and writes nothing else, for a run that waits and one that executed", async () => {
    const free = deploy(false);
    await post(free, "/api/runs", { workflowId: "sleeper", runId: "r" });
    await expect.poll(() => run(free)).toMatchObject({ status: "waiting" });
    const held = deploy(true, free);
    now += 10_000;
    const before = new Map(held.storageOf("r").rows);
    for (let turn = 0; turn < 3; turn++) {
      await held.alarm("r");
      expect(held.storageOf("r").alarmAt).toBe(now + 60_000);
      now += 60_000;
    }
    expect(held.storageOf("r").rows).toEqual(before);
  });

  test("DUR12 reads, pause, cancel and delete work, and a delivery to a run that waits is taken", async () => {
    const free = deploy(false);
    await post(free, "/api/runs", { workflowId: "sleeper", runId: "r" });
    await expect.poll(() => run(free)).toMatchObject({ status: "waiting" });
    const held = deploy(true, free);
    now += 5_000;
    expect(await post(held, "/api/runs/r/signals", { name: "go" })).toBe(202);
    expect(await post(held, "/api/runs/r/pause")).toBe(202);
    expect(await post(held, "/api/runs/r/unpause")).toBe(202);
    expect(await run(held)).toMatchObject({ status: "running", invocationCount: 1 });
    expect(await post(held, "/api/runs/r/cancel")).toBe(202);
    expect(await run(held)).toMatchObject({ status: "cancelled" });
    expect((await held.fetch("/api/runs/r", { method: "DELETE" })).status).toBe(204);
    expect(bodies).toEqual(["first"]);
  });

  test.each([
    [{ HOLD: "true" }, {}, true],
    [{ HOLD: "false" }, {}, false],
    [{ HOLD: null }, {}, false],
    [{ HOLD: "true" }, { hold: false }, false],
    [{}, { hold: true }, true],
  ])("DUR12 RUN7 the variables %j and the deps %j hold the deployment: %s", (variables, deps, held) => {
    const env = { WORKFLOW_RUN_DO: { idFromName: () => "", get: () => ({}) }, AUTH: "off", ...variables };
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const deployments = new Deployments({ workflows: [sleeper], deps: () => deps });
    const storage = Object.assign(new FakeStorage(), { sql: new FakeSql() });
    const object = deployments.runObjectDeps({ storage, acceptWebSocket: () => {}, getWebSockets: () => [] }, env);
    expect([deployments.workerDeps(env).hold, object.hold]).toEqual([held, held]);
  });

  test("SEC9 DUR12 another value of HOLD is rejected, so that a typing error does not start what is to be held", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const env = { WORKFLOW_RUN_DO: { idFromName: () => "", get: () => ({}) }, AUTH: "off", HOLD: "yes" };
    expect(() => new Deployments({ workflows: [sleeper] }).workerDeps(env)).toThrow("misconfigured");
    expect(log.mock.calls).toEqual([[expect.stringContaining("HOLD")]]);
  });

  test("DUR12 /healthz reports that the deployment is held", async () => {
    expect(await answerOf(await deploy(true).fetch("/healthz"))).toEqual({
      status: 200,
      body: { ok: true, version: HOLDFAST_VERSION, held: true },
    });
    expect(await answerOf(await deploy(false).fetch("/healthz"))).toEqual({
      status: 200,
      body: { ok: true, version: HOLDFAST_VERSION },
    });
  });
});
