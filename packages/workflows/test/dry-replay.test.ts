/** Tests of replays of stored runs without a host. */
import { describe, expect, test } from "vitest";
import { type WorkflowContext, workflow } from "../src/index.ts";
import { type DryReplayVerdict, dryReplay } from "../src/replay/dry-replay.ts";
import { MemoryHost } from "../src/testing/index.ts";

type Body = (input: unknown, ctx: WorkflowContext) => unknown;

const definitionOf = (run: Body) => workflow({ id: "w", run });

/** Runs `before` until it ends or waits, then replays its journal with `after`. */
async function replayed(before: Body, after: Body, patienceMs?: number): Promise<DryReplayVerdict> {
  const host = new MemoryHost({ workflows: [definitionOf(before)] });
  host.trigger("w");
  await host.settle();
  const start = host.starts.at(-1) ?? expect.fail("no execution has started");
  return dryReplay(definitionOf(after), { ...start, journal: host.journal }, patienceMs);
}

const twoSteps: Body = async (_input, ctx) => {
  await ctx.step("a", () => 1);
  return ctx.step("b", () => 2);
};

describe("a dry replay", () => {
  test("REP5 of unchanged code ends like the run and executes no step", async () => {
    let executed = 0;
    const counted: Body = async (_input, ctx) => {
      await ctx.step("a", () => (executed += 1));
      return ctx.step("b", () => (executed += 1));
    };
    expect(await replayed(counted, counted)).toEqual({
      type: "ends",
      event: { type: "run.completed", output: "[2]" },
    });
    expect(executed).toBe(2);
  });

  test("REP5 names the first journaled operation that changed code does not request", async () => {
    const verdict = await replayed(twoSteps, async (_input, ctx) => {
      await ctx.step("a", () => 1);
      return ctx.step("renamed", () => 2);
    });
    expect(verdict).toMatchObject({ type: "diverged", error: { code: "NON_DETERMINISM" } });
    expect(JSON.stringify(verdict)).toMatch(/renamed/);
  });

  test("REP5 of code that ends before the journal diverges", async () => {
    expect(await replayed(twoSteps, () => 1)).toMatchObject({ type: "diverged" });
  });

  test("REP5 of code that awaits something else for too long diverges", async () => {
    const stuck: Body = () => new Promise(() => {});
    expect(await replayed(twoSteps, stuck, 1)).toMatchObject({ type: "diverged" });
  });

  test("REP5 of a waiting run continues if new code adds a step, a stream or a wait", async () => {
    const waits: Body = (_input, ctx) => ctx.waitForSignal("go");
    const effects: string[] = [];
    const continuing: Record<string, Body> = {
      waits,
      steps: (_input, ctx) => Promise.all([ctx.waitForSignal("go"), ctx.step("new", () => effects.push("step"))]),
      streams: (_input, ctx) =>
        Promise.all([
          ctx.waitForSignal("go"),
          ctx.stream("new", function* () {
            effects.push("stream");
            yield 1;
          }),
        ]),
    };
    for (const [name, after] of Object.entries(continuing))
      expect([name, await replayed(waits, after)]).toEqual([name, { type: "continues" }]);
    expect(effects).toEqual([]);
  });

  test("REP5 of a start in another protocol version fails with PROTOCOL_MISMATCH", async () => {
    const host = new MemoryHost({ workflows: [definitionOf(twoSteps)] });
    host.trigger("w");
    await host.settle();
    const start = host.starts.at(-1) ?? expect.fail("no execution has started");
    expect(await dryReplay(definitionOf(twoSteps), { ...start, protocol: 99 })).toMatchObject({
      type: "failed",
      error: { code: "PROTOCOL_MISMATCH" },
    });
  });
});
