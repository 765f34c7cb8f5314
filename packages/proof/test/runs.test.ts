import { isTerminal } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, test } from "vitest";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, started, workflowOf } from "./run-workflow.ts";

/** A Standard Schema that requires `{ cents: number }` and doubles the number. */
const cents: StandardSchemaV1<{ cents: number }, { cents: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const given = (value as { cents?: unknown } | undefined)?.cents;
      return typeof given === "number"
        ? { value: { cents: given * 2 } }
        : { issues: [{ message: "must be a number", path: ["order", { key: "cents" }] }] };
    },
  },
};

describe("statuses", () => {
  test("RUN1 a delayed run is pending until its time and then runs", async () => {
    const host = await started(() => "done", { trigger: { delayMs: 60_000 } });
    expect(host.header.status).toBe("pending");
    expect(host.store.alarm).toBe(host.header.createdAt + 60_000);
    await host.advance();
    expect(host.header.status).toBe("completed");
    expect(host.header.startedAt).toBe(host.header.createdAt + 60_000);
  });

  test("RUN1 a run that only waits has the status waiting, and the alarm of its object is the time-out of the wait", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s", { timeout: "30d" }));
    expect(host.header.status).toBe("waiting");
    expect(host.store.alarm).toBe(host.header.createdAt + 30 * 86_400_000);
  });

  test("RUN1 later inputs do not change a terminal status", async () => {
    const host = await finished((ctx) => ctx.step("a", () => 1));
    const before = host.store.dump();
    host.cancel();
    host.deliver("signal", "s", 1);
    host.fireAlarm();
    host.trigger("w", undefined);
    await host.settle();
    expect(host.store.dump()).toEqual(before);
    expect(isTerminal(host.header.status)).toBe(true);
  });
});

describe("identity", () => {
  test("RUN2 two triggers with the same id create one run, which executes once", async () => {
    let bodies = 0;
    const host = await started((ctx) => ctx.step("a", () => ++bodies), { input: { a: 1 } });
    expect(host.trigger("w", { a: 1 })).toEqual({ type: "exists" });
    await host.advance();
    expect(host.trigger("w", { a: 1 })).toEqual({ type: "exists" });
    expect(bodies).toBe(1);
    expect(host.starts).toHaveLength(1);
  });

  test("RUN2 the order of keys does not make an input different", async () => {
    const host = await started(() => 1, { input: { a: 1, b: { c: 2, d: 3 } } });
    expect(host.trigger("w", { b: { d: 3, c: 2 }, a: 1 })).toEqual({ type: "exists" });
  });

  test.each([
    ["another input", "w", { a: 2 }],
    ["another workflow", "other", { a: 1 }],
  ])("RUN2 the same id with %s is rejected and changes no row", async (_what, workflowId, input) => {
    const host = new MemoryHost({
      workflows: [workflowOf((ctx) => ctx.waitForSignal("s")), workflow({ id: "other", run: () => 1 })],
    });
    host.trigger("w", { a: 1 });
    await host.settle();
    const before = host.store.dump();
    expect(host.trigger(workflowId, input)).toMatchObject({ type: "refused", code: "idempotency_conflict" });
    expect(host.store.dump()).toEqual(before);
  });

  test("RUN3 a run records the fields of its trigger", async () => {
    const triggered = {
      tags: ["a", "constructor"],
      environment: "staging",
      tenantMeta: '[{"t":1},"x"]',
      triggeredBy: "schedule",
      workflowVersion: "7",
    };
    const host = await finished(() => 1, { trigger: triggered, input: 5 });
    expect(host.header).toMatchObject({
      ...triggered,
      id: "run-1",
      workflowId: "w",
      createdAt: expect.any(Number),
      startedAt: expect.any(Number),
      endedAt: expect.any(Number),
    });
    expect(host.starts[0]?.run).toMatchObject({
      id: "run-1",
      tags: triggered.tags,
      environment: "staging",
      triggeredBy: "schedule",
    });
  });

  test("RUN4 a run continues with the code of its version while a newer version is served", async () => {
    const versions = ["1", "2"].map((version) =>
      workflow({
        id: "w",
        version,
        run: async (_input, ctx) => `${version} ${String(await ctx.waitForSignal("s"))} ${ctx.workflow.version}`,
      }),
    );
    const host = new MemoryHost({ workflows: versions });
    host.trigger("w", undefined, { workflowVersion: "1" });
    await host.settle();
    host.crash();
    host.deliver("signal", "s", "x");
    await host.advance();
    expect(host.output).toBe("1 x 1");
    expect(host.starts.map((start) => start.workflowVersion)).toEqual(["1", "1"]);
  });
});

describe("input and output", () => {
  test("RUN5 input that does not fit the schema fails the run with INVALID_INPUT and the path, before any step", async () => {
    let bodies = 0;
    const host = await finished((ctx) => ctx.step("a", () => ++bodies), {
      input: { cents: "x" },
      config: { input: cents },
    });
    expect(host.header).toMatchObject({ status: "failed", error: { code: "INVALID_INPUT", category: "USER_ERROR" } });
    expect(host.header.error?.message).toContain("order.cents: must be a number");
    expect(bodies).toBe(0);
    expect(host.starts).toHaveLength(1);
  });

  test("RUN5 the function receives the input that the schema returns", async () => {
    const host = await finished((_ctx, input) => input, { input: { cents: 4 }, config: { input: cents } });
    expect(host.output).toEqual({ cents: 8 });
  });

  test("RUN5 output that does not fit the schema fails the run with INVALID_OUTPUT", async () => {
    const host = await finished(() => "nonsense", { config: { output: cents } });
    expect(host.header).toMatchObject({ status: "failed", error: { code: "INVALID_OUTPUT" } });
  });

  test("RUN5 output that cannot be serialized fails the run, and the message contains the path", async () => {
    const host = await finished(() => ({ a: { b: () => 1 } }));
    expect(host.header).toMatchObject({ status: "failed", error: { code: "UNSERIALIZABLE" } });
    expect(host.header.error?.message).toContain("a.b");
  });

  test("RUN3 a large input is written once, and not with every header", async () => {
    const host = await finished(
      async (ctx, input) => {
        await ctx.waitForSignal("s", { timeout: 1 });
        return input.length;
      },
      { input: "x".repeat(1_000_000) },
    );
    expect(host.output).toBe(1_000_000);
    expect(JSON.stringify(host.header).length).toBeLessThan(2_000);
  });
});

describe("options and names", () => {
  const cases: [string, (ctx: Parameters<Parameters<typeof started>[0]>[0]) => unknown, string][] = [
    ["an unknown step option", (ctx) => ctx.step("a", { retries: 3 } as never, () => 1), "retries"],
    ["an unknown retry option", (ctx) => ctx.step("a", { retry: { times: 3 } as never }, () => 1), "times"],
    ["a negative duration with a unit", (ctx) => ctx.sleep("-1s"), "-1s"],
    ["a fraction with a unit", (ctx) => ctx.sleep("1.5h"), "1.5h"],
    ["a word for a duration", (ctx) => ctx.waitForSignal("s", { timeout: "soon" as never }), "soon"],
    ["an invalid date", (ctx) => ctx.sleepUntil("tomorrow"), "tomorrow"],
    ["retry on a once step", (ctx) => ctx.step("a", { once: true, retry: { max: 2 } }, () => 1), "once"],
    ["zero attempts", (ctx) => ctx.step("a", { retry: { max: 0 } }, () => 1), "max"],
    ["an unknown onTimeout", (ctx) => ctx.waitForSignal("s", { onTimeout: "explode" as never }), "onTimeout"],
    ["an empty name", (ctx) => ctx.step("", () => 1), "empty"],
    ["a name of 257 bytes", (ctx) => ctx.waitForEvent("é".repeat(128) + "x"), "256"],
    ["a step without a function", (ctx) => ctx.step("a", undefined as never), "function"],
  ];

  test.each(cases)("RUN7 %s is rejected by the call that contains it", async (_what, body, named) => {
    const host = await finished(async (ctx) => body(ctx));
    expect(host.header).toMatchObject({ status: "failed", error: { code: "INVALID_ARGUMENT" } });
    expect(host.header.error?.message).toContain(named);
    expect(host.journal).toEqual([]);
  });

  test("RUN7 an unknown field of a workflow is rejected by its definition", () => {
    expect(() => workflow({ id: "a", run: () => 1, retires: 3 } as never)).toThrow(/retires/);
    expect(() => workflow({ id: "a", run: () => 1, timeout: "1.5h" })).toThrow(/1\.5h/);
    expect(() => workflow({ id: "", run: () => 1 })).toThrow(/empty/);
  });

  test("RUN8 any non-empty string of at most 256 bytes is a valid name, including constructor and __proto__", async () => {
    const names = ["constructor", "__proto__", "toString", "a/b#c", "ключ", "x".repeat(256), "0", " "];
    const host = await started(async (ctx) => {
      const results: unknown[] = [];
      for (const name of names) results.push(await ctx.step(name, () => name), await ctx.waitForSignal(name));
      return results;
    });
    for (const name of names) {
      host.deliver("signal", name, `to ${name}`);
      await host.settle();
    }
    expect(host.output).toEqual(names.flatMap((name) => [name, `to ${name}`]));
  });

  test("RUN8 one id with two functions is rejected with both functions; the same function twice is accepted", () => {
    const first = workflow({ id: "w", run: function chargeCard() {} });
    const second = workflow({ id: "w", run: function chargeAccount() {} });
    expect(() => new MemoryHost({ workflows: [first, second] })).toThrow(/chargeCard.*chargeAccount/);
    expect(() => new MemoryHost({ workflows: [first, first] })).not.toThrow();
  });

  test("RUN7 an initial delay over the default maximum is kept, and 31 February is not a valid date", async () => {
    const host = await started((ctx) =>
      ctx.step("a", { retry: { initial: "10m", backoff: "fixed" } }, () => Promise.reject(new Error("x"))),
    );
    expect((host.header.retryAt ?? 0) - host.clock.now()).toBeGreaterThanOrEqual(600_000);
    const late = await finished((ctx) => ctx.sleepUntil("2027-02-31"));
    expect(late.header.error?.code).toBe("INVALID_ARGUMENT");
  });
});
