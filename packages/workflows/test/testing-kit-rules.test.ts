/** The testing kit has the rules of production: for children, and for repeated commands. */
import { describe, expect, test } from "vitest";
import { workflow } from "../src/index.ts";
import { testWorkflow } from "../src/testing/index.ts";

describe("children in the testing kit", () => {
  const slow = workflow({ id: "slow", timeout: "1m", tags: ["a"], run: (_input: null, ctx) => ctx.sleep("1h") });

  test("RUN6 a child has the time budget of its definition", async () => {
    const parent = workflow({
      id: "parent",
      run: (_input: null, ctx) =>
        ctx.invoke(slow, null).catch((error: Error) => (error.cause as { code: string }).code),
    });
    const { output, elapsedMs } = await testWorkflow(parent, null, { workflows: [slow] });
    expect([output, elapsedMs]).toEqual(["WORKFLOW_TIMEOUT", 60_000]);
  });

  test("RUN3 a child has the tags of its definition and those of the call", async () => {
    const tagged = workflow({ id: "tagged", tags: ["a"], run: (_input: null, ctx) => ctx.run.tags });
    const parent = workflow({
      id: "parent",
      run: (_input: null, ctx) => ctx.invoke(tagged, null, { tags: ["b", "a"] }),
    });
    expect((await testWorkflow(parent, null, { workflows: [tagged] })).output).toEqual(["a", "b"]);
  });

  test("CHILD2 a child whose workflow is not registered is refused", async () => {
    const parent = workflow({
      id: "parent",
      run: (_input: null, ctx) =>
        ctx.invoke(slow, null).catch((error: Error) => (error.cause as { code: string }).code),
    });
    expect((await testWorkflow(parent, null)).output).toBe("WORKFLOW_NOT_FOUND");
  });

  test("RUN6 RUN3 the tested workflow has the budget and the tags of its definition", async () => {
    const { status, error } = await testWorkflow(slow, null);
    expect([status, error?.code]).toEqual(["failed", "WORKFLOW_TIMEOUT"]);
    const tagged = workflow({ id: "tagged", tags: ["a"], run: (_input: null, ctx) => ctx.run.tags });
    expect((await testWorkflow(tagged, null)).output).toEqual(["a"]);
    const patient = await testWorkflow(slow, null, { timeout: "2h" });
    expect(patient.status).toBe("completed");
  });
});

describe("commands of a test, with a crash at each write", () => {
  test("WAIT3 each delivery counts once", async () => {
    const sums = workflow({
      id: "sums",
      run: async (_input: null, ctx) => {
        const got: unknown[] = [];
        for (let n = 0; n < 3; n++) got.push(await ctx.waitForSignal("s"));
        got.push(await ctx.waitForEvent("e"), await ctx.waitForEvent("e"));
        return [...got, await ctx.waitForSignal("s", { timeout: "1m" })];
      },
    });
    const { output } = await testWorkflow(sums, null, {
      crashEverywhere: true,
      drive: async (run) => {
        for (const n of [1, 2, 3]) await run.signal("s", n);
        for (const n of [1, 1]) await run.event("e", n);
      },
    });
    expect(output).toEqual([1, 2, 3, 1, 1, null]);
  });

  test("WAIT7 CAN4 CAN1 an answer, a pause and a cancel count once", async () => {
    const asks = workflow({
      id: "asks",
      run: async (_input: null, ctx) => {
        const answer = await ctx.waitForToken({ tokenId: "t" }).wait();
        await ctx.step("a", () => answer);
        await ctx.sleep("1h");
      },
    });
    const { status } = await testWorkflow(asks, null, {
      crashEverywhere: true,
      drive: async (run) => {
        await run.waitsFor("token");
        await run.answer("yes");
        await run.pause();
        await run.unpause();
        await run.cancel("enough");
      },
    });
    expect(status).toBe("cancelled");
  });
});
