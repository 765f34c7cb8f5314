/** tests: the limits of the served code after a rollback, through the API and the client */
import { limit, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { expect, test, vi } from "vitest";
import { readFlow } from "@holdfast/orchestrator";
import { flowOf } from "@holdfast/protocol";
import type { VerifyRequest } from "../src/index.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const [R1, R2] = [1_000, 2_000];
const MINUTE = 60_000;

/** Two builds that share the objects of limits. */
class Builds {
  now = Date.now();
  readonly coordinators = new FakeCoordinators(() => ({
    runDO: {
      idFromName: (name: string) => name,
      get: (name: string) => (this.one.storages.has(name) ? this.one : this.two).runDO.get(name),
    },
    clock: () => this.now,
  }));
  readonly one = this.#build(R1, 1);
  readonly two = this.#build(R2, 3);

  #build(rev: number, max: number): FakeDeployment {
    const one = limit("customer", { key: "input.customer", max });
    const order = workflow({
      id: "order",
      limits: [one.hold("run")],
      run: async (_input: object, ctx) => ctx.waitForSignal("go"),
    });
    const verifyRequest: VerifyRequest = ({ headers }) => ({
      subject: "ops",
      scopes: ["read", "trigger", "deliver", "operate"],
      tenantId: headers.get("Tenant") ?? undefined,
    });
    const coordinatorDO = this.coordinators.binding;
    const declaredLimits = readFlow({ id: "order", flow: flowOf(order.flow) ?? {} })?.limits;
    const deps = { coordinatorDO, verifyRequest, rev, declaredLimits };
    return new FakeDeployment([order], deps, undefined, { coordinatorDO, rev });
  }

  client(build: FakeDeployment, tenant?: string) {
    return createClient({
      url: "https://flows.example",
      token: "t",
      attempts: 1,
      headers: tenant === undefined ? {} : { Tenant: tenant },
      fetch: (request) => build.handle(request),
    });
  }

  async start(build: FakeDeployment, runId: string, status: string, tenant?: string): Promise<void> {
    const headers = tenant === undefined ? {} : { Tenant: tenant };
    const json = { runId, workflowId: "order", input: { customer: "c1" } };
    await build.fetch("/api/runs", { json, headers });
    const run = this.client(build, tenant).run(runId);
    await vi.waitFor(async () => expect((await run.get()).status).toBe(status));
  }

  async sync(build: FakeDeployment, options: { dryRun?: boolean } = {}, tenant?: string) {
    const changes = [];
    for await (const change of this.client(build, tenant).syncLimits(options)) changes.push(change);
    return changes;
  }

  async max(build: FakeDeployment, tenant?: string): Promise<number | null> {
    return (await this.client(build, tenant).limit("customer", "c1").get()).max;
  }
}

test("GATE8 after a rollback sync prints the difference first, and then max of the served build applies at the listed limits", async () => {
  const builds = new Builds();
  for (const runId of ["a", "b", "c"]) await builds.start(builds.two, runId, "waiting");
  await builds.start(builds.two, "d", "pending");
  const change = {
    name: "customer",
    key: "c1",
    change: "changed",
    rev: R2,
    applies: { max: 3 },
    declares: { max: 1 },
  };
  await vi.waitFor(async () => expect(await builds.sync(builds.one, { dryRun: true })).toEqual([change]));
  expect(await builds.max(builds.one)).toBe(3);
  expect(await builds.sync(builds.one)).toEqual([change]);
  expect(await builds.max(builds.one)).toBe(1);
  await builds.start(builds.two, "e", "pending");
  expect(await builds.max(builds.one)).toBe(1);
  expect(await builds.sync(builds.one, { dryRun: true })).toMatchObject([{ change: "unchanged", rev: R1 }]);
});

test("GATE8 a limit that is in no list applies the served build within a minute, also one of a tenant", async () => {
  const builds = new Builds();
  await builds.start(builds.two, "a", "waiting", "t1");
  expect(await builds.sync(builds.one)).toEqual([]);
  await builds.start(builds.one, "b", "waiting", "t1");
  await vi.waitFor(async () => expect(await builds.max(builds.one, "t1")).toBe(1));
  await builds.start(builds.one, "c", "pending", "t1");
});

test("GATE8 a caller of a tenant voids nothing at the limits of others", async () => {
  const builds = new Builds();
  await builds.start(builds.two, "a", "waiting");
  await expect(builds.sync(builds.one, {}, "t1")).rejects.toMatchObject({ code: "not_applicable" });
  builds.now += 2 * MINUTE;
  await builds.start(builds.one, "b", "waiting");
  await builds.start(builds.one, "c", "waiting");
  expect(await builds.max(builds.one)).toBe(3);
});
