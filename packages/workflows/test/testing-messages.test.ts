import { describe, expect, test } from "vitest";
import { schedule, workflow } from "../src/index.ts";
import { type TestOptions, testWorkflow, testWorld } from "../src/testing/index.ts";

describe("a run whose test cannot continue", () => {
  const hanging = workflow({
    id: "hanging",
    run: async (timeout: "2h" | undefined, ctx) =>
      ctx.step("never", { timeout, retry: { max: 1 } }, () => new Promise<string>(() => {})),
  });

  test("a run whose body never ends fails the test, and the error names the step and what helps", async () => {
    await expect(testWorkflow(hanging, undefined, { patienceMs: 50 })).rejects.toThrow(
      /the run did not end: a step body awaits something real and did not end within 0\.2 s\. .* step "never"\. .*useFakeTimers.*raise patienceMs/,
    );
    const parent = workflow({ id: "parent", run: async (_: null, ctx) => ctx.invoke(hanging) });
    await expect(testWorkflow(parent, null, { workflows: [hanging], patienceMs: 50 })).rejects.toThrow("body awaits");
  });

  test("a run has patience with a body once, however far away its time-out is", async () => {
    const begun = performance.now();
    expect(await testWorkflow(hanging, "2h", { patienceMs: 100 })).toMatchObject({ error: { code: "TIMEOUT" } });
    expect(performance.now() - begun).toBeLessThan(5_000); // A check of the execution each 30 s: 240 times 0.1 s.
  });

  test("a body that ends after the patience gives its result if nothing else is left", async () => {
    const slow = workflow({
      id: "slow",
      run: async (_: null, ctx) => ctx.step("real", () => new Promise((end) => setTimeout(end, 150, "came"))),
    });
    expect(await testWorkflow(slow, null, { patienceMs: 100 })).toMatchObject({ output: "came" });
  });

  test("a run of a world with schedules whose wait never ends fails the test after a year of virtual time", async () => {
    const waits = workflow({ id: "waits", run: async (_input: unknown, ctx) => ctx.waitForSignal("never") });
    const tick = workflow({ id: "tick", run: () => 1 });
    const weekly = schedule({ id: "weekly", cron: "0 2 * * 1", workflow: tick });
    const run = await testWorld({ workflows: [waits, tick], schedules: [weekly] }).start(waits);
    await expect(run.ends()).rejects.toThrow(/nothing has happened to it for a year\. .* waits for: signal "never"/);
  });

  test("a run of such a world may sleep for years, alone or in a child", async () => {
    const sleeps = workflow({ id: "sleeps", run: async (_input: unknown, ctx) => ctx.sleep("120w") });
    const parent = workflow({ id: "parent", run: async (_input: unknown, ctx) => ctx.invoke(sleeps) });
    const tick = workflow({ id: "tick", run: () => 1 });
    const monthly = schedule({ id: "monthly", cron: "0 2 1 * *", workflow: tick });
    const world = testWorld({ workflows: [parent, sleeps, tick], schedules: [monthly] });
    const run = await world.start(parent);
    await run.ends();
    expect(run.status).toBe("completed");
  });

  test("the error of a wait that never comes offers no delivery to a run that waits for nothing", async () => {
    const drive: TestOptions["drive"] = (run) => run.waitsFor("other");
    const idle = workflow({ id: "idle", run: () => 1 });
    await expect(testWorkflow(idle, undefined, { drive })).rejects.toThrow(
      /wait for "other", and no timer is left\. It is completed and waits for: nothing\.$/,
    );
  });
});

describe("the comparison after a crash", () => {
  test("a crash is compared in outputs that JSON has no text for: cycles, errors, patterns and numbers", async () => {
    let calls = 0;
    const outputs = {
      error: (call: number) => ({ failed: new RangeError(`no. ${call}`) }),
      pattern: (call: number) => ({ found: new RegExp(`no. ${call}`) }),
      number: (call: number) => ({ sum: call === 1 ? NaN : null }),
    };
    const run = (output: (call: number) => object) =>
      workflow({
        id: "odd",
        run: async (_: null, ctx) => {
          const result = output((calls += 1));
          await ctx.step("s", () => 1);
          return result;
        },
      });
    const cyclic = new Map<string, unknown>([["list", [1]]]);
    cyclic.set("self", { cyclic });
    const same = await testWorkflow(
      run(() => cyclic),
      null,
      { crashEverywhere: true },
    );
    expect(same.status).toBe("completed");
    for (const output of [outputs.error, outputs.pattern, outputs.number]) {
      calls = 0;
      await expect(testWorkflow(run(output), null, { crashEverywhere: true })).rejects.toThrow("ends differently");
    }
  });
});
