/** tests: schedules through the API and the client, with runs that start */
import { schedule, workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { describe, expect, test, vi } from "vitest";
import { wakeSchedules } from "../src/api/routes/schedule-sync.ts";
import { readSchedules } from "../src/deployment/schedules.ts";
import type { VerifyRequest } from "../src/index.ts";
import { countedSamples } from "../src/telemetry/counters.ts";
import { FakeCoordinators } from "./fake-coordinators.ts";
import { FakeDeployment } from "./fake-platform.ts";

const HOUR = 3_600_000;
const START = Date.parse("2027-03-01T00:00:00Z");

const report = workflow({ id: "report", run: async (input: unknown, ctx) => ({ input, schedule: ctx.run.schedule }) });

class Deployment {
  now = START;
  readonly coordinators: FakeCoordinators;
  readonly api: FakeDeployment;
  readonly client;

  constructor(schedules?: Parameters<typeof readSchedules>[0], rev = 1) {
    this.coordinators = new FakeCoordinators(() => ({ runDO: this.api.runDO, clock: () => this.now }));
    const verifyRequest: VerifyRequest = ({ headers }) => ({
      subject: "ops",
      scopes: ["read", "trigger", "deliver", "operate"],
      tenantId: headers.get("Tenant") ?? undefined,
    });
    this.api = new FakeDeployment([report], {
      coordinatorDO: this.coordinators.binding,
      verifyRequest,
      schedules: readSchedules(schedules, [report]),
      rev,
    });
    this.client = createClient({
      url: "https://flows.example",
      token: "t",
      attempts: 1,
      fetch: (request) => this.api.handle(request),
    });
  }

  async pass(ms: number, id = "nightly"): Promise<void> {
    this.now += ms;
    await this.coordinators.fireAlarm(`schedule\u0001\u0001${id}`);
  }
}

const nightly = { id: "nightly", cron: "0 * * * *", workflow: "report", input: { all: true } } as const;

describe("schedules", () => {
  test("OBS3 SCH11 each tick is counted by what became of it, and a late decision is", async () => {
    const of = (name: string): number => (countedSamples("all")[name] ?? []).reduce((sum, [, value]) => sum + value, 0);
    const [ticks, late] = [of("holdfast_schedule_ticks_total"), of("holdfast_late_ticks_total")];
    const deployed = new Deployment();
    await deployed.client.createSchedule(nightly);
    await deployed.pass(HOUR);
    expect([of("holdfast_schedule_ticks_total") - ticks, of("holdfast_late_ticks_total") - late]).toEqual([1, 0]);
    await deployed.pass(3 * HOUR + 5_000);
    await vi.waitFor(() => expect(of("holdfast_schedule_ticks_total") - ticks).toBe(4));
    expect(of("holdfast_late_ticks_total") - late).toBe(1);
  });

  test("SCH3 a tick starts a run that knows its tick, and the record says so", async () => {
    const deployed = new Deployment();
    const { client } = deployed;
    const created = await client.createSchedule(nightly);
    expect(created).toMatchObject({ id: "nightly", source: "api", status: "active", workflowId: "report" });
    expect(created.next[0]).toMatchObject({ nominal: START + HOUR, local: "2027-03-01T01:00:00+00:00" });
    await deployed.pass(HOUR);
    const runId = "sch_nightly_20270301T010000Z";
    const run = await vi.waitFor(async () => client.run(runId).get());
    expect(run).toMatchObject({ triggeredBy: "schedule:nightly", workflowId: "report" });
    expect(run.schedule).toEqual({ id: "nightly", kind: "tick", nominal: START + HOUR });
    const ended = await client.run(runId).ended();
    expect(ended.output).toEqual({
      input: { all: true },
      schedule: {
        id: "nightly",
        kind: "tick",
        nominal: "2027-03-01T01:00:00.000Z",
        fireAt: "2027-03-01T01:00:00.000Z",
        next: [2, 3, 4, 5, 6].map((hour) => `2027-03-01T0${hour}:00:00.000Z`),
      },
    });
    const record = await client.schedule("nightly").get();
    expect(record.ticks).toMatchObject([{ kind: "tick", outcome: "fired", runId }]);
    expect((await client.schedules())[0]).toMatchObject({ id: "nightly", status: "active" });
  });

  test("SCH8 it can be paused, resumed, triggered, changed and deleted", async () => {
    const deployed = new Deployment();
    const one = deployed.client.schedule("nightly");
    await deployed.client.createSchedule(nightly);
    expect(await one.pause("too slow")).toMatchObject({ status: "paused", paused: { by: "ops", reason: "too slow" } });
    await deployed.pass(2 * HOUR);
    expect((await one.get()).ticks.map(({ reason }) => reason)).toEqual(["paused", "paused"]);
    expect(await one.resume()).toMatchObject({ status: "active" });
    const { runId } = await one.trigger();
    const manual = await vi.waitFor(async () => deployed.client.run(runId).ended());
    expect(manual.output).toMatchObject({ schedule: { kind: "manual" } });
    expect(await one.update({ cron: null, every: "2h", tags: ["x"] })).toMatchObject({
      every: 2 * HOUR,
      tags: ["x"],
      input: { all: true },
    });
    expect(await one.update({ every: null, cron: "5 * * * *" })).not.toHaveProperty("every");
    await one.delete();
    await expect(one.get()).rejects.toMatchObject({ code: "not_found" });
    await vi.waitFor(async () => expect(await deployed.client.schedules()).toEqual([]));
  });

  test("SCH6 a change of the overlap alone is accepted, and the length of a queue that is gone is forgotten", async () => {
    const { client } = new Deployment();
    await client.createSchedule({ ...nightly, overlap: "queue", queueMax: 5 });
    const one = client.schedule("nightly");
    expect(await one.update({ tags: ["x"] })).toMatchObject({ overlap: "queue", queueMax: 5 });
    for (const overlap of ["skip", "replace", "allow", null] as const) {
      const changed = await one.update({ overlap });
      expect(changed).toMatchObject({ overlap: overlap ?? "skip" });
      expect(changed).not.toHaveProperty("queueMax");
      await expect(one.update({ queueMax: 5 })).rejects.toThrow('needs overlap: "queue"');
      expect(await one.update({ overlap: "queue" })).toMatchObject({ queueMax: 1 });
      expect(await one.update({ overlap: "queue", queueMax: 5 })).toMatchObject({ queueMax: 5 });
    }
    await expect(one.update({ overlap: "skip", queueMax: 5 })).rejects.toThrow('needs overlap: "queue"');
    await expect(one.update({ overlap: "never" })).rejects.toThrow('"never" must be "skip"');
  });

  test("SCH3 an input is shown as JSON whatever it is, and a change of another field keeps it", async () => {
    const declared = { id: "typed", cron: "0 * * * *", workflow: report, input: { n: 1n, at: new Date(START) } };
    const typed = new Deployment([schedule(declared)]);
    await typed.client.workflows();
    await vi.waitFor(async () =>
      expect((await typed.client.schedule("typed").get()).input).toEqual({ n: "1", at: "2027-03-01T00:00:00.000Z" }),
    );
    const { client } = new Deployment();
    const { input: _, ...without } = nightly;
    expect(await client.createSchedule(without)).not.toHaveProperty("input");
    expect(await client.schedule("nightly").update({ cron: "30 * * * *" })).not.toHaveProperty("input");
    for (const input of [null, 1]) {
      expect(await client.createSchedule({ ...nightly, id: `of-${input}`, input })).toHaveProperty("input", input);
      const changed = await client.schedule(`of-${input}`).update({ cron: "30 * * * *" });
      expect(changed).toMatchObject({ cron: ["30 * * * *"], input });
    }
    expect(await client.schedule("of-1").update({ input: null })).not.toHaveProperty("input");
  });

  test("SCH10 a backfill can be planned, started and cancelled, and a preview creates nothing", async () => {
    const { client } = new Deployment();
    await client.createSchedule(nightly);
    const range = { from: "2027-02-01T00:00:00Z", until: "2027-02-01T03:00:00Z" };
    const one = client.schedule("nightly");
    expect(await one.backfill({ ...range, dryRun: true })).toMatchObject({ total: 3 });
    // Each has the form of a time, and is none.
    for (const from of ["2027-01-31T09:00:00+01", "2027-01-32T00:00:00Z", "2026-02-30T00:00:00Z"])
      await expect(one.backfill({ ...range, from })).rejects.toMatchObject({ code: "invalid_body" });
    expect((await one.get()).counts.fired).toBe(0);
    expect(await one.backfill(range)).toMatchObject({ total: 3 });
    const first = await vi.waitFor(async () => client.run("sch_nightly_20270201T000000Z").ended());
    expect(first.output).toMatchObject({ schedule: { kind: "backfill" } });
    expect((await one.get()).backfill).toMatchObject({ total: 3, by: "ops" });
    expect(await one.cancelBackfill()).not.toHaveProperty("backfill");
    const times = await client.previewSchedule({ cron: "30 2 * * *", tz: "America/New_York" });
    expect(times).toHaveLength(10);
    await expect(client.previewSchedule({ cron: "61 * * * *" })).rejects.toMatchObject({ code: "invalid_body" });
    // A preview is that of the schedule which the same declaration makes, and checks each field that is given.
    const spread = { id: "spread", cron: "0 * * * *", spread: "30m" } as const;
    const shown = await client.previewSchedule(spread);
    const made = await client.createSchedule({ ...spread, workflow: "report", input: null });
    const offsets = (all: readonly { readonly fireAt: number; readonly nominal: number }[]): number[] =>
      all.map(({ fireAt, nominal }) => fireAt - nominal);
    expect(offsets(shown)).toEqual(offsets(made.next));
    expect(offsets(shown)[0]).toBeGreaterThan(0);
    const [unnamed] = await client.previewSchedule({ cron: "0 * * * *", spread: "50%" });
    expect(unnamed?.note).toContain("give the id");
    for (const wrong of [{ spread: "often" }, { spread: "101%" }, { overlap: "never" }, { id: ".." }, { crom: "1" }])
      await expect(client.previewSchedule({ cron: "0 * * * *", ...(wrong as object) })).rejects.toMatchObject({
        code: "invalid_body",
      });
  });

  test("SCH1 what is invalid is refused with the field, and an id that is taken, too", async () => {
    const { client } = new Deployment();
    await expect(client.createSchedule({ ...nightly, tz: "Mars/Base" })).rejects.toMatchObject({
      code: "invalid_body",
      message: expect.stringContaining('schedule("nightly").tz'),
    });
    await client.createSchedule(nightly);
    await client.createSchedule(nightly);
    await expect(client.createSchedule({ ...nightly, cron: "1 * * * *" })).rejects.toMatchObject({
      code: "schedule_exists",
    });
  });

  test("SCH9 a sync of a tenant does not begin the schedules of the code in the tenant a second time", async () => {
    const declared = schedule({ id: "declared", cron: "0 * * * *", workflow: report, input: null });
    const deployed = new Deployment([declared]);
    const headers = { Tenant: "a" };
    const answer = await deployed.api.fetch("/api/schedules/sync", { json: {}, headers });
    expect([answer.status, await answer.json()]).toMatchObject([409, { error: "not_applicable" }]);
    const listed = await deployed.api.fetch("/api/schedules", { headers });
    expect(await listed.json()).toEqual({ schedules: [] });
  });

  test("SEC2 the schedules of a tenant are its own", async () => {
    const deployed = new Deployment();
    const json = nightly;
    await deployed.api.fetch("/api/schedules", { json, headers: { Tenant: "a" } });
    const read = (tenant: string) => deployed.api.fetch("/api/schedules/nightly", { headers: { Tenant: tenant } });
    expect((await read("a")).status).toBe(200);
    expect((await read("b")).status).toBe(404);
  });

  test("SCH11 the cron trigger of the platform wakes a schedule whose alarm is lost", async () => {
    const deployed = new Deployment();
    await deployed.client.createSchedule(nightly);
    deployed.now += HOUR + 3 * 60_000;
    await wakeSchedules({ runDO: deployed.api.runDO, coordinatorDO: deployed.coordinators.binding });
    await vi.waitFor(async () => deployed.client.run("sch_nightly_20270301T010000Z").ended());
  });
});

describe("declared in code", () => {
  const declared = schedule({ id: "nightly", cron: "0 3 * * *", tz: "Europe/Berlin", workflow: report, input: 1 });

  test("SCH9 the first request of a build registers its schedules, and sync says and applies the difference", async () => {
    const deployed = new Deployment([declared], 5);
    await deployed.client.health();
    await vi.waitFor(async () =>
      expect(await deployed.client.schedules()).toMatchObject([{ id: "nightly", source: "code", status: "active" }]),
    );
    expect(await deployed.client.syncSchedules({ dryRun: true })).toMatchObject({
      rev: 5,
      appliedRev: 5,
      changes: [{ id: "nightly", change: "unchanged" }],
    });
    await expect(deployed.client.schedule("nightly").update({ tz: "UTC" })).rejects.toMatchObject({
      code: "not_applicable",
    });
    await expect(deployed.client.schedule("nightly").delete()).rejects.toMatchObject({ code: "not_applicable" });
  });

  test("SCH9 a schedule of a workflow that is not served, and one id twice, are refused when the Worker is loaded", () => {
    expect(() => readSchedules([{ ...nightly, workflow: "other" }], [report])).toThrow("not in the list of workflows");
    expect(() => readSchedules([nightly, nightly], [report])).toThrow("declared twice");
    expect(() => readSchedules([{ ...nightly, cron: "x" }], [report])).toThrow('schedule("nightly").cron');
  });
});
