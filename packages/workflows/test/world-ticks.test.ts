/** tests: what a schedule says of ticks whose run a limit does not admit */
import { limit, schedule, workflow } from "@holdfast/workflows";
import { type TestWorld, testWorld } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

interface Options {
  readonly onFull?: "reject" | "skip" | "queue" | "replace";
  readonly queueTimeout?: "10m";
  readonly maxQueued?: 0;
  readonly overlap?: "allow" | "skip" | "queue";
  readonly pauseAfter?: number;
}

/** A world in which each tick wants a limit of one run, and each run takes 90 minutes. */
function worldOf({ onFull = "queue", overlap = "allow", pauseAfter, ...queue }: Options): TestWorld {
  const guard = limit("guard", { max: 1, onFull, ...queue }).hold("run");
  const slow = workflow({ id: "slow", limits: [guard], run: async (_input, ctx) => ctx.sleep("90m") });
  const hourly = schedule({
    id: "hourly",
    every: "1h",
    overlap,
    workflow: slow,
    ...(pauseAfter === undefined ? {} : { onFailures: { pauseAfter } }),
  });
  return testWorld({ workflows: [slow], schedules: [hourly] });
}

const outcomes = (world: TestWorld): string[] =>
  world
    .schedule("hourly")
    .ticks.toReversed()
    .map(({ outcome, reason }) => reason ?? outcome);

describe("SCH5 a tick whose run a limit does not admit is skipped, with the reason limit", () => {
  test.each([
    ["reject", {}],
    ["skip", {}],
    ["queue", { queueTimeout: "10m" }],
    ["queue", { maxQueued: 0 }],
  ] as const)("SCH5 onFull: %s %j", async (onFull, more) => {
    const world = worldOf({ onFull, ...more });
    await world.advance("4h");
    await world.advance("30m");
    expect(outcomes(world)).toEqual(["fired", "limit", "fired", "limit"]);
    const { counts, ticks, status } = world.schedule("hourly");
    expect(counts).toEqual({ fired: 2, failed: 0, skipped: { limit: 2 } });
    expect(ticks[0]).toMatchObject({ byRunId: "sch_hourly_20260101T040000Z" });
    expect(status).toBe("active");
  });

  test("SCH5 SCH8 its run counts as no failed one, so it pauses no schedule", async () => {
    const world = worldOf({ onFull: "reject", pauseAfter: 1 });
    await world.advance("6h");
    await world.advance("30m");
    expect(world.schedule("hourly")).toMatchObject({ status: "active", failures: 0 });
    expect(outcomes(world)).toEqual(["fired", "limit", "fired", "limit", "fired", "limit"]);
  });

  test("SCH5 a run that was admitted and is replaced has fired", async () => {
    const world = worldOf({ onFull: "replace" });
    await world.advance("3h");
    await world.advance("30m");
    expect(outcomes(world)).toEqual(["fired", "fired", "fired"]);
  });

  test("SCH5 L4 a run that waits, and that a newer one replaces, was not admitted", async () => {
    const guard = limit("guard", { max: 1, onFull: "replace" }).hold("run");
    let refusals = 3;
    const undone = workflow({
      id: "undone",
      limits: [guard],
      retry: { max: 9, initial: "1m", backoff: "fixed" },
      run: async (_input, ctx) => {
        await ctx.step(
          "book",
          { compensate: () => (refusals-- > 0 ? Promise.reject(new Error("later")) : undefined) },
          () => 1,
        );
        await ctx.sleep("90m");
      },
    });
    const often = schedule({ id: "hourly", every: "10s", overlap: "allow", workflow: undone });
    const world = testWorld({ workflows: [undone], schedules: [often] });
    await world.advance("45s");
    expect(outcomes(world)).toEqual(["fired", "limit", "limit", "fired"]);
  });

  test("SCH5 SCH6 the next tick does not wait for a run that was not admitted", async () => {
    const guard = limit("guard", { max: 1, onFull: "reject" }).hold("run");
    const slow = (id: string) => workflow({ id, limits: [guard], run: async (_input, ctx) => ctx.sleep("90m") });
    const [ticked, other] = [slow("ticked"), slow("other")];
    const hourly = schedule({ id: "hourly", every: "1h", overlap: "queue", workflow: ticked });
    const world = testWorld({ workflows: [ticked, other], schedules: [hourly] });
    await world.start(other);
    await world.advance("2h");
    await world.advance("30m");
    expect(outcomes(world)).toEqual(["limit", "fired"]);
  });
});
