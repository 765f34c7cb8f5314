import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FatalError, workflow } from "../src/index.ts";
import { type TestOptions, testWorkflow } from "../src/testing/index.ts";

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
  test("WAIT1 a sleep of thirty days takes milliseconds", async () => {
    const startedAt = process.cpuUsage();
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      { steps: { charge: "ch-1" }, signals: { approval: { ok: true } } },
    );
    expect(result).toMatchObject({ status: "completed", output: "shipped hold o-1", error: undefined });
    expect(result.elapsedMs).toBe(30 * 24 * 3_600_000);
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(1_000);
    expect(result.steps.map(({ name, attempts }) => [name, attempts])).toEqual([
      ["reserve", 1],
      ["charge", 1],
      ["ship", 1],
    ]);
  });

  test("COMP1 a failing mocked step compensates the earlier steps, and compensations can be mocked", async () => {
    const compensated: unknown[] = [];
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      {
        steps: {
          charge: ({ attempt }: { attempt: number }) => Promise.reject(new Error(`declined ${attempt}`)),
        },
        compensations: { reserve: (held) => compensated.push(held) },
      },
    );
    expect(result).toMatchObject({ status: "compensated", error: { message: "declined 2" } });
    expect(compensated).toEqual(["hold o-1"]);
    expect(released).toEqual([]);
  });

  test("WAIT4 `drive` acts on the run in virtual time", async () => {
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

  test("ASK4 `drive` sees what a run asks, and answers it, with a crash at every write too", async () => {
    const asking = workflow({
      id: "asking",
      run: async (_input, ctx) => {
        const choices = [
          { label: "Yes", value: "yes" },
          { label: "No", value: "no" },
        ] as const;
        const answer = await ctx.waitForToken({ ask: { title: "Well?", choices } }).wait();
        return ctx.step("note", () => answer);
      },
    });
    const titles: string[][] = [];
    const result = await testWorkflow(asking, null, {
      crashEverywhere: true,
      drive: async (run) => {
        await run.waitsFor("token");
        titles.push(run.asks.map(({ title }) => title));
        await run.answer("no");
      },
    });
    expect(result.output).toBe("no");
    expect(new Set(titles.flat())).toEqual(new Set(["Well?"]));
    const drive: NonNullable<TestOptions["drive"]> = async (run) => {
      await run.waitsFor("token");
      await run.answer("perhaps");
    };
    await expect(testWorkflow(asking, null, { drive })).rejects.toThrow('must be one of "yes", "no"');
  });

  test("WAIT7 CAN1 CAN4 `drive` answers a token, and pauses, unpauses and cancels a run", async () => {
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

  test("CHILD2 a child executes its workflow or a mock", async () => {
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

  test("a run waits for a body that awaits something real, until the patience or the time-out ends", async () => {
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

  test("the error of a run that waits forever names the wait and the method that delivers to it", async () => {
    await expect(
      testWorkflow(workflow({ id: "w", run: (_: null, ctx) => ctx.waitForEvent("paid") }), null),
    ).rejects.toThrow('the run did not end, and no timer is left. It is waiting and waits for: event "paid". Deliver');
    await expect(testWorkflow(order, { orderId: "" }, { step: {} } as never)).rejects.toThrow("step");
  });
});

describe("crashEverywhere", () => {
  test("DUR4 a deterministic workflow has the same result with a crash at every write", async () => {
    let charged = 0;
    const result = await testWorkflow(
      order,
      { orderId: "o-1" },
      { steps: { charge: () => ++charged > 0 }, signals: { approval: { ok: true } }, crashEverywhere: true },
    );
    expect(result.status).toBe("completed");
    // Each run charges once, and once more if it crashes before the result is stored.
    expect(charged).toBeGreaterThan(12);
  });

  test("REP5 the error of a workflow that decides by the clock names the write and the operation", async () => {
    let clock = 0;
    const impatient = workflow({
      id: "impatient",
      run: async (_input: null, ctx) => {
        await ctx.step("first", () => 1);
        // The bug: this value differs in a replay.
        if (clock++ % 2 === 0) await ctx.step("on time", () => 2);
        else await ctx.step("late", () => 2);
        return ctx.step("last", () => 3);
      },
    });
    const error = await testWorkflow(impatient, null, { crashEverywhere: true, before: () => (clock = 0) }).catch(
      (thrown: Error) => thrown.message,
    );
    expect(error).toContain('workflow "impatient" ends differently after a crash');
    expect(error).toContain('A crash after write 2 of 3 (step.completed of step "on time")');
    expect(error).toContain(
      'the journal (entry 2) holds step "on time" as operation no. 2, but the code now requests step "late" in its place',
    );
  });

  test("DUR3 a step with a second effect fails the comparison, unless `compare` ignores its output", async () => {
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

test("EVT1 the testing kit works in node:test as in Vitest, with events too", () => {
  const file = fileURLToPath(new URL("fixtures/node-test.ts", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, ["--test", file], { encoding: "utf8", env: cleanEnv() });
  expect([status, stdout]).toEqual([0, expect.stringContaining("pass 3")]);
});

/** Returns the environment without the variables that Vitest sets for its workers. */
function cleanEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return env;
}
