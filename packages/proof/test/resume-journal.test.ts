import { planResume } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";
import { FatalError, workflow } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, outcomeOf, workflowOf } from "./run-workflow.ts";

describe("journal of a resumed run", () => {
  test("DUR3 a once step whose outcome was lost does not execute again in a resumed run", async () => {
    let paid = 0;
    let broken = true;
    const body = workflowOf((ctx) =>
      Promise.all([
        ctx.step("pay", { once: true }, () => {
          paid += 1;
          return new Promise(() => {});
        }),
        ctx.step("x", () => (broken ? Promise.reject(new FatalError("x")) : 1)),
      ]),
    );
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    broken = false;
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(paid).toBe(1);
    expect(child.header.error).toMatchObject({ code: "STEP_INTERRUPTED" });
  });

  test("RES2 a result may replace a caught failure of a step, although the code then takes another branch", async () => {
    const body = workflowOf(async (ctx) => {
      const found = await ctx
        .step("look", { retry: { max: 1 } }, () => Promise.reject(new Error("none")))
        .catch(() => undefined);
      const used =
        found === undefined
          ? await ctx.step("make", () => "made")
          : await ctx.step("use", () => `used ${String(found)}`);
      await ctx.step("end", () => Promise.reject(new FatalError("no"))).catch(() => {});
      if (found === undefined) throw new FatalError("stop");
      return used;
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { seedResults: [["look", encodeValue("it", "x")]] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: "used it" });
  });

  test("RES3 an input that does not fit the schema fails a resumed run, although the run took over a journal", async () => {
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "t",
        validate: (value: unknown) => (value === "good" ? { value } : { issues: [{ message: "bad" }] }),
      },
    };
    const body = workflow({
      id: "w",
      input: schema,
      run: async (_input, ctx) => {
        await ctx.step("a", () => 1);
        throw new FatalError("no");
      },
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w", "good");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", "bad", { runId: "run-2", inherited });
    await child.advance();
    expect(child.header).toMatchObject({ status: "failed", error: { code: "INVALID_INPUT" } });
  });

  test("STR1 a resumed run produces the parent's streams again for its own readers", async () => {
    const body = workflowOf(async (ctx) => {
      const count = await ctx.stream.text("s", () => ["x", "y"]);
      const random = await ctx.step("random", () => Math.random());
      await ctx.step("fails", () => Promise.reject(new FatalError("no"))).catch(() => {});
      throw new FatalError(`${count} ${random}`);
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { resumeFromStep: "fails", seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(child.header.streams).toEqual([{ op: "stream/0/s", generation: 1, chunks: 2 }]);
    expect(child.header.error?.message).toBe(parent.header.error?.message);
  });

  test("RES1 the message that reports a resumed run to its parent is repeated until the parent acknowledges it", async () => {
    const parent = await finished(() => Promise.reject(new FatalError("no")));
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({
      workflows: [workflowOf(() => 1)],
      world: parent.world,
      clock: parent.clock,
      runId: "run-2",
      crashAfterCommits: [1, 2],
    });
    child.trigger("w", undefined, { inherited });
    await child.advance();
    expect(parent.header.resumedBy).toEqual(["run-2"]);
  });

  test("RUN2 a repeated resume with other results is rejected", async () => {
    const parent = await finished((ctx) => ctx.step("a", () => Promise.reject(new FatalError("no"))));
    const plan = (seeds: [string, string][]): never =>
      planResume(parent.header, parent.journal, { seedResults: seeds }) as never;
    const child = new MemoryHost({ workflows: [workflow({ id: "w", run: () => 1 })] });
    expect(child.trigger("w", undefined, { runId: "r", inherited: plan([]) })).toEqual({ type: "created" });
    expect(child.trigger("w", undefined, { runId: "r", inherited: plan([]) })).toEqual({ type: "exists" });
    expect(child.trigger("w", undefined, { runId: "r", inherited: plan([["b", "[1]"]]) })).toMatchObject({
      code: "idempotency_conflict",
    });
  });
});
