/** tests: many runs in memory, which share virtual time, limits, schedules and events */
import { event, limit, schedule, workflow } from "@holdfast/workflows";
import { testWorld } from "@holdfast/workflows/testing";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, test } from "vitest";

describe("testWorld", () => {
  test("SCH1 SCH4 a daily schedule runs for a year of virtual time, and each tick starts one run", async () => {
    const report = workflow({ id: "report", run: async (_input, ctx) => ctx.run.schedule?.nominal });
    const nightly = schedule({ id: "nightly", cron: "30 2 * * *", tz: "America/New_York", workflow: report });
    const world = testWorld({ workflows: [report], schedules: [nightly], startAt: new Date("2026-01-01T00:00:00Z") });
    await world.advance("365d");
    const results = world.results(report);
    expect(results).toHaveLength(365);
    expect(new Set(results.map(({ output }) => output)).size).toBe(365);
    expect(results.every(({ status }) => status === "completed")).toBe(true);
    expect(world.schedule("nightly")).toMatchObject({ status: "active", counts: { fired: 365, failed: 0 } });
    expect(world.now).toEqual(new Date("2027-01-01T00:00:00Z"));
  });

  test("SCH6 a tick is skipped while the run of an earlier one has not ended", async () => {
    const slow = workflow({ id: "slow", run: (_input, ctx) => ctx.sleep("3h") });
    const hourly = schedule({ id: "hourly", cron: "0 * * * *", workflow: slow });
    const world = testWorld({ workflows: [slow], schedules: [hourly], startAt: new Date("2026-01-01T00:30:00Z") });
    await world.advance("12h");
    expect(world.schedule("hourly").counts).toMatchObject({ fired: 4, skipped: { overlap: 8 } });
  });

  test("L1 STEP10 runs and steps share limits, and the world shows who holds and who waits", async () => {
    const perCustomer = limit<{ customer: string }>("customer", { key: (input) => input.customer, max: 1 });
    const model = limit("model", { max: 2 });
    const order = workflow({
      id: "order",
      limits: [perCustomer.hold("run")],
      run: async (_input: { customer: string }, ctx) => {
        await ctx.step("ask", { limit: model }, () => "answer");
        await ctx.waitForSignal("packed");
      },
    });
    const world = testWorld({ workflows: [order] });
    const runs = [];
    for (const customer of ["a", "a", "b"]) runs.push(await world.start(order, { customer }));
    expect(runs.map(({ status }) => status)).toEqual(["waiting", "pending", "waiting"]);
    expect(world.limit("customer", "a")).toMatchObject({ held: 1, queued: 1, next: "run-2" });
    await runs[0]?.signal("packed");
    await world.advance("1s");
    expect(runs.map(({ status }) => status)).toEqual(["completed", "waiting", "waiting"]);
    expect(world.limit("model")).toMatchObject({ held: 0, queued: 0 });
  });

  test("EVT1 EVT5 sendEvent starts runs by their triggers and reaches waits for its key, also those that open later", async () => {
    const paid = event<{ orderId: string; cents: number }>("order.paid", { key: (data) => data.orderId });
    const waiting = workflow({
      id: "waiting",
      run: async (orderId: string, ctx) => {
        await ctx.sleep("1h");
        return (await ctx.waitForEvent(paid, { key: orderId, timeout: "1d" }))?.cents;
      },
    });
    const audit = workflow({
      id: "audit",
      on: [{ id: "large", event: paid, where: { "data.cents": { gte: 100 } }, input: { id: "data.orderId" } }],
      run: async (input: { id: string }) => input.id,
    });
    const world = testWorld({ workflows: [waiting, audit] });
    await world.start(waiting, "o-1");
    const accepted = await world.sendEvent(paid, { orderId: "o-1", cents: 250 }, { id: "e-1" });
    expect(accepted).toMatchObject({ eventId: "e-1", state: "accepted" });
    expect(await world.sendEvent(paid, { orderId: "o-1", cents: 250 }, { id: "e-1" })).toMatchObject({
      state: "duplicate",
    });
    await world.sendEvent(paid, { orderId: "o-2", cents: 5 });
    await world.advance("2h");
    expect(world.results(waiting)).toMatchObject([{ id: "run-1", status: "completed", output: 250 }]);
    expect(world.results(audit)).toMatchObject([{ status: "completed", output: "o-1", input: { id: "o-1" } }]);
  });

  test("RUN7 an unknown option, a workflow that is not served and an unknown schedule are refused by name", () => {
    const one = workflow({ id: "one", run: async () => 1 });
    const every = schedule({ id: "s", every: "1h", workflow: one });
    expect(() => testWorld({ workflows: [], schedules: [every] })).toThrow(
      /"s" starts a workflow that is not in workflows/,
    );
    expect(() => testWorld({ workflows: [one], clock: 1 } as never)).toThrow(/clock/);
    expect(() => testWorld({ workflows: [one] }).schedule("s")).toThrow(/there is no schedule "s"/);
  });

  test("EVT2 EVT16 functions as filters and schemas of events decide in the world as in the Worker", async () => {
    const schema: StandardSchemaV1<{ cents: number; id: boolean }> = {
      "~standard": {
        version: 1,
        vendor: "tests",
        validate: (value) =>
          typeof Object(value).cents === "number"
            ? { value: value as never }
            : { issues: [{ message: "must be a number", path: ["cents"] }] },
      },
    };
    const paid = event("order.paid", { schema, key: "id" });
    const large = workflow({
      id: "large",
      on: [{ id: "large", event: paid, where: ({ cents }) => cents >= 100 }],
      run: ({ cents }: { cents: number }) => cents,
    });
    const world = testWorld({ workflows: [large] });
    for (const cents of [5, 100]) await world.sendEvent(paid, { cents, id: true });
    await expect(world.sendEvent(paid, { cents: "5", id: true } as never)).rejects.toThrow("sendEvent.data: cents: ");
    await expect(world.sendEvent("order.paid", { cents: "5" })).rejects.toThrow("sendEvent.data: cents: ");
    expect(world.results(large)).toMatchObject([{ output: 100 }]);
  });
});
