import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FatalError, workflow } from "../src/index.ts";
import { testWorkflow } from "../src/testing/index.ts";

interface Order {
  readonly orderId: string;
}

const pay = { charge: (_orderId: string): string => expect.fail("the real charge was called") };
const released: string[] = [];

const order = workflow({
  id: "order",
  run: async (input: Order, ctx) => {
    const hold = await ctx.step(
      "reserve",
      { compensate: (held) => released.push(held) },
      () => `hold ${input.orderId}`,
    );
    await ctx.step("charge", { retry: { max: 2 } }, () => pay.charge(input.orderId));
    await ctx.sleep("30d");
    const approval = await ctx.waitForSignal<{ ok: boolean }>("approval", { timeout: "24h" });
    if (approval?.ok !== true) throw new FatalError("not approved");
    return ctx.step("ship", () => `shipped ${hold}`);
  },
});

describe("testWorkflow", () => {
  test("WAIT1 thirty days pass in milliseconds", async () => {
    const begun = performance.now();
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      { steps: { charge: "ch-1" }, signals: { approval: { ok: true } } },
    );
    expect(result).toMatchObject({ status: "completed", output: "shipped hold o-1", error: undefined });
    expect(result.elapsedMs).toBe(30 * 24 * 3_600_000);
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(result.steps.map(({ name, attempts }) => [name, attempts])).toEqual([
      ["reserve", 1],
      ["charge", 1],
      ["ship", 1],
    ]);
  });

  test("COMP1 a mocked step that fails shows what is undone, and compensations can be mocked too", async () => {
    const undone: unknown[] = [];
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      {
        steps: {
          charge: ({ attempt }: { attempt: number }) => Promise.reject(new Error(`declined ${attempt}`)),
        },
        compensations: { reserve: (held) => undone.push(held) },
      },
    );
    expect(result).toMatchObject({ status: "compensated", error: { message: "declined 2" } });
    expect(undone).toEqual(["hold o-1"]);
    expect(released).toEqual([]);
  });

  test("WAIT4 a drive acts on cue, in virtual time", async () => {
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      {
        steps: { charge: 1 },
        compensations: { reserve: () => 1 },
        drive: async (run) => {
          await run.waitsFor("approval");
          const waiting = run.now.getTime();
          await run.advance("23h");
          expect(run.now.getTime() - waiting).toBe(23 * 3_600_000);
          expect(run.status).toBe("waiting");
          await run.advance("1h");
        },
      },
    );
    expect(result).toMatchObject({ status: "compensated", error: { message: "not approved" } });
  });

  test("WAIT7 CAN1 CAN4 tokens are answered, runs are cancelled, paused and unpaused", async () => {
    const asking = workflow({ id: "asking", run: (_input: null, ctx) => ctx.waitForToken().wait() });
    const answered = await testWorkflow(asking, null, {
      drive: async (run) => {
        await run.waitsFor("token");
        await run.pause();
        expect(run.status).toBe("paused");
        await run.answer("yes");
        await run.unpause();
      },
    });
    expect(answered.output).toBe("yes");
    const cancelled = await testWorkflow(asking, null, { drive: (run) => run.cancel("enough") });
    expect(cancelled).toMatchObject({ status: "cancelled", error: { code: "CANCELLED" } });
  });

  test("CHILD2 children are executed or mocked", async () => {
    const parent = workflow({
      id: "parent",
      run: async (_input: null, ctx) => [
        await ctx.invoke(order, { orderId: "o-2" }),
        await ctx.invoke({ id: "other" }, { n: 1 }),
      ],
    });
    const result = await testWorkflow(parent, null, {
      children: { order: ({ orderId }: Order) => `child of ${orderId}`, other: 2 },
    });
    expect(result.output).toEqual(["child of o-2", 2]);
    const real = workflow({ id: "other", run: (input: { n: number }) => input.n + 1 });
    const second = await testWorkflow(parent, null, { workflows: [real], children: { order: "mock" } });
    expect(second.output).toEqual(["mock", 2]);
  });

  test("a body that waits for something real is waited for, and a time-out still comes", async () => {
    const slow = workflow({
      id: "slow",
      run: async (_input: null, ctx) => {
        const real = await ctx.step("real", { timeout: "1h" }, () => new Promise((end) => setTimeout(end, 20, "came")));
        const late = await ctx
          .step("never", { timeout: "1m", retry: { max: 1 } }, () => new Promise(() => {}))
          .catch((error: { code: string }) => error.code);
        return [real, late];
      },
    });
    expect(await testWorkflow(slow, null, { patienceMs: 200 })).toMatchObject({ output: ["came", "TIMEOUT"] });
  });

  test("a run that waits for what never comes says for what, and how to deliver it", async () => {
    await expect(
      testWorkflow(workflow({ id: "w", run: (_: null, ctx) => ctx.waitForEvent("paid") }), null),
    ).rejects.toThrow(
      'the run did not come to end, and nothing more happens by itself. It is waiting and waits for: event "paid". Deliver',
    );
    await expect(testWorkflow(order, { orderId: "" }, { step: {} } as never)).rejects.toThrow("step");
  });
});

describe("crashEverywhere", () => {
  test("DUR4 a workflow that keeps the rules comes to the same with a crash at every write", async () => {
    let charged = 0;
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      { steps: { charge: () => ++charged > 0 }, signals: { approval: { ok: true } }, crashEverywhere: true },
    );
    expect(result.status).toBe("completed");
    // Once without a crash, once in each run with one, and again where the crash came before its result was stored.
    expect(charged).toBeGreaterThan(12);
  });

  test("REP5 a workflow that decides by the clock is found, and told where and why", async () => {
    let clock = 0;
    const impatient = workflow({
      id: "impatient",
      run: async (_input: null, ctx) => {
        await ctx.step("first", () => 1);
        // Not the same in a replay: this is the bug.
        if (clock++ % 2 === 0) await ctx.step("on time", () => 2);
        else await ctx.step("late", () => 2);
        return ctx.step("last", () => 3);
      },
    });
    const error = await testWorkflow(impatient, null, { crashEverywhere: true, before: () => (clock = 0) }).catch(
      (thrown: Error) => thrown.message,
    );
    expect(error).toContain('workflow "impatient" ends otherwise when a process dies on the way');
    expect(error).toContain('A crash after write 2 of 3 (step.completed of step "on time")');
    expect(error).toContain(
      'the journal (entry 2) holds step "on time" as operation no. 2, but the code now asks for step "late" in its place',
    );
  });

  test("DUR3 a step that must not run twice and has no once is no difference, one that counts outside is", async () => {
    let sent = 0;
    const counting = workflow({
      id: "counting",
      run: async (_input: null, ctx) => ctx.step("send", () => ++sent),
    });
    await expect(testWorkflow(counting, null, { crashEverywhere: true, before: () => (sent = 0) })).rejects.toThrow(
      'A crash before write 1 of 1 (step.completed of step "send"): {"status":"completed","output":2}',
    );
    await testWorkflow(counting, null, { crashEverywhere: true, compare: ({ status }) => status });
  });
});

test("testWorkflow works in node:test as it does in Vitest", () => {
  const file = fileURLToPath(new URL("fixtures/node-test.ts", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, ["--test", file], { encoding: "utf8", env: cleanEnv() });
  expect([status, stdout]).toEqual([0, expect.stringContaining("pass 1")]);
});

/** Without what Vitest sets for its own workers. */
function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return env;
}
