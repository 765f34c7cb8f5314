import { FatalError, RetryableError } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "@holdfast/workflows/testing";
import { finished, journalOf, outcomeOf, started } from "./run-workflow.ts";

const never = new Promise<never>(() => {});

describe("what a body gets", () => {
  test("STEP1 attempt, signal, log, and an idempotency key that is stable over attempts and replays and unique per operation", async () => {
    const seen: { attempt: number; key: string; signal: boolean }[] = [];
    const host = await started(async (ctx) => {
      for (const _turn of [1, 2]) {
        await ctx.step("a", ({ attempt, idempotencyKey, signal }) => {
          seen.push({ attempt, key: idempotencyKey, signal: signal.aborted });
          if (attempt === 1) throw new Error("again");
        });
      }
    });
    host.crash();
    await host.advance();
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2]);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(2);
    expect([seen[0]?.key, seen[2]?.key]).toEqual([seen[1]?.key, seen[3]?.key]);
    expect(seen.every(({ signal }) => !signal)).toBe(true);
  });
});

describe("retries", () => {
  test("STEP2 a step that fails twice and then succeeds, with an eviction between attempts, makes three attempts at the policy's delays", async () => {
    const times: number[] = [];
    const clock = new VirtualClock();
    const host = await started(
      (ctx) =>
        ctx.step("a", ({ attempt }) => {
          times.push(clock.now());
          if (attempt < 3) throw new Error("no");
          return attempt;
        }),
      { clock },
    );
    host.crash();
    await host.advance(1_500);
    host.crash();
    await host.advance();
    expect(host.output).toBe(3);
    expect(times).toHaveLength(3);
    const [first = 0, second = 0] = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(first).toBeGreaterThanOrEqual(1_000);
    expect(first).toBeLessThanOrEqual(1_200);
    expect(second).toBeGreaterThanOrEqual(2_000);
    expect(second).toBeLessThanOrEqual(2_400);
  });

  test.each([
    ["fixed", [100, 100, 100]],
    ["linear", [100, 200, 250]],
    ["exponential", [100, 200, 250]],
  ] as const)("STEP2 %s backoff from 100 ms, at most 250 ms, is what the journal says", async (backoff, expected) => {
    const host = await finished((ctx) =>
      ctx.step("a", { retry: { max: 4, backoff, initial: 100, maxDelay: 250 } }, () => {
        throw new Error("no");
      }),
    );
    const delays = host.journal.flatMap((entry) => (entry.type === "step.retrying" ? [entry.retryAt - entry.at] : []));
    expect(delays).toHaveLength(3);
    for (const [i, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual(expected[i] as number);
      expect(delay).toBeLessThanOrEqual(Math.min((expected[i] as number) * 1.2, 250));
    }
    expect(host.header.error).toMatchObject({ code: "STEP_FAILED", message: "no", step: "step/0/a" });
  });

  test("STEP2 the workflow's policy holds where the step has none, field by field", async () => {
    let bodies = 0;
    const fail = (): never => {
      bodies += 1;
      throw new Error("no");
    };
    await finished((ctx) => ctx.step("a", { retry: { initial: 1 } }, fail), { config: { retry: { max: 5 } } });
    expect(bodies).toBe(5);
  });

  test("STEP2 while it waits for the next attempt the run is parked and holds no process", async () => {
    const host = await started((ctx) => ctx.step("a", () => Promise.reject(new Error("no"))));
    expect(host.header.status).toBe("waiting");
    expect(host.store.alarm).toBe(host.header.retryAt);
  });
});

describe("errors", () => {
  test("STEP3 FatalError ends retrying at once", async () => {
    let bodies = 0;
    const host = await finished((ctx) =>
      ctx.step("a", () => {
        bodies += 1;
        throw new FatalError("over");
      }),
    );
    expect(bodies).toBe(1);
    expect(host.header.error).toMatchObject({ code: "FATAL", message: "over", step: "step/0/a" });
  });

  test("STEP3 RetryableError sets the delay", async () => {
    const host = await finished((ctx) =>
      ctx.step("a", ({ attempt }) => {
        if (attempt === 1) throw new RetryableError("later", { retryAfter: "7m" });
        return attempt;
      }),
    );
    const retrying = host.journal.find((entry) => entry.type === "step.retrying");
    expect(retrying).toMatchObject({ retryAt: (retrying?.at as number) + 420_000 });
    expect(host.output).toBe(2);
  });

  test("STEP3 what the workflow catches has the name, message, code and data of the original, live and on replay", async () => {
    const caught: unknown[] = [];
    const host = await started(async (ctx) => {
      try {
        await ctx.step("a", { retry: { max: 1 } }, () => {
          throw Object.assign(new TypeError("bad card"), {
            code: "CARD_DECLINED",
            data: { card: 4242n, at: new Date(3) },
          });
        });
      } catch (error) {
        const { name, message, code, data } = error as Error & { code: string; data: unknown };
        caught.push({ name, message, code, data, isError: error instanceof Error });
      }
      await ctx.waitForSignal("s");
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    const expected = {
      name: "TypeError",
      message: "bad card",
      code: "CARD_DECLINED",
      data: { card: 4242n, at: new Date(3) },
      isError: true,
    };
    expect(caught).toEqual([expected, expected]);
  });

  test.each([
    ["a string", "plain", "plain"],
    ["undefined", undefined, "undefined was thrown"],
    ["null", null, "null was thrown"],
    ["an object", { a: 1 }, "a value that is not an Error was thrown"],
  ])("STEP3 a body that throws %s fails with an error that says so", async (_what, thrown, message) => {
    const host = await finished((ctx) =>
      ctx
        .step("a", { retry: { max: 1 } }, () => {
          throw thrown;
        })
        .catch((error: Error) => error.message),
    );
    expect(host.output).toBe(message);
  });
});

describe("time-outs", () => {
  test("STEP4 each attempt is bounded: its signal aborts and it fails with TIMEOUT, even if the body ignores the signal", async () => {
    const signals: AbortSignal[] = [];
    const host = await finished((ctx) =>
      ctx
        .step("a", { timeout: "2s", retry: { max: 2, initial: 0 } }, ({ signal }) => {
          signals.push(signal);
          return never;
        })
        .catch((error: { code: string; name: string }) => [error.code, error.name]),
    );
    expect(host.output).toEqual(["TIMEOUT", "TimeoutError"]);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    expect(journalOf(host)).toEqual(["step.retrying step/0/a", "step.failed step/0/a"]);
  });

  test("STEP4 the late result of an attempt that timed out changes nothing", async () => {
    const late: ((value: string) => void)[] = [];
    const host = await started((ctx) =>
      ctx.step("a", { timeout: "1s", retry: { max: 2, initial: "1m" } }, ({ attempt }) =>
        attempt === 1 ? new Promise<string>((resolve) => late.push(resolve)) : "second",
      ),
    );
    await host.advance(2_000);
    late[0]?.("first");
    await host.advance();
    expect(host.output).toBe("second");
  });
});

describe("values", () => {
  const shared = { n: 1 };
  const cyclic: { self?: unknown; list: unknown[] } = { list: [] };
  cyclic.self = cyclic;
  cyclic.list.push(cyclic, shared, shared);
  const value = {
    date: new Date(7),
    map: new Map<unknown, unknown>([["k", new Set([1, "2"])]]),
    big: 12345678901234567890n,
    bytes: Uint8Array.from([0, 255]),
    view: Uint8Array.from([9, 8, 7, 6]).subarray(1, 3),
    url: new URL("https://example.com/a?b=c"),
    error: Object.assign(new RangeError("inner"), { code: "X" }),
    undef: undefined,
    nan: Number.NaN,
    minusZero: -0,
    holes: [1, undefined, null],
    cyclic,
  };

  test("STEP5 a result comes back equal live and on replay: dates, maps, sets, big integers, bytes, URLs, errors, cycles", async () => {
    const seen: (typeof value)[] = [];
    const host = await started(async (ctx) => {
      seen.push(await ctx.step("a", () => value));
      await ctx.waitForSignal("s");
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(seen).toHaveLength(2);
    for (const copy of seen) {
      expect(copy).toEqual(value);
      expect(copy.cyclic.self).toBe(copy.cyclic);
      expect(copy.cyclic.list[1]).toBe(copy.cyclic.list[2]);
      expect(copy.error).toMatchObject({ name: "RangeError", message: "inner", code: "X" });
      expect(copy.view.buffer.byteLength).toBe(2);
      expect(Object.is(copy.minusZero, -0)).toBe(true);
    }
  });

  test("STEP5 changing a result afterwards does not change the journal", async () => {
    const host = await started(async (ctx) => {
      const result = await ctx.step("a", () => ({ n: 1 }));
      result.n += 1;
      await ctx.waitForSignal("s");
      return result.n;
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(host.output).toBe(2);
  });

  class Account {}
  test.each([
    ["a function", { a: [() => 1] }, "a[0]"],
    ["a class instance", { account: new Account() }, "account"],
    ["a symbol", { s: Symbol("x") }, "s"],
  ])("STEP5 %s fails the step with UNSERIALIZABLE, naming the path, without a retry", async (_what, result, path) => {
    let bodies = 0;
    const host = await finished((ctx) => ctx.step("a", () => (bodies++, result as unknown)));
    expect(host.header.error).toMatchObject({ code: "UNSERIALIZABLE", step: "step/0/a" });
    expect(host.header.error?.message).toContain(`at ${path}:`);
    expect(bodies).toBe(1);
  });

  test("STEP5 a result of 10 MiB works, a larger one fails with TOO_LARGE and says the limit", async () => {
    const host = await finished(async (ctx) => {
      const fits = await ctx.step("fits", () => "x".repeat(10 * 1024 * 1024 - 10));
      const error = await ctx
        .step("large", () => "x".repeat(20 * 1024 * 1024))
        .catch((caught: Error & { code: string }) => [caught.code, caught.message]);
      return [fits.length, error];
    });
    expect(host.output).toEqual([10_485_750, ["TOO_LARGE", expect.stringContaining("10485760")]]);
  });
});

describe("parallel steps", () => {
  test("STEP6 parallel steps run at the same time and each is journaled as it ends", async () => {
    const release = new Map<string, (value: string) => void>();
    const host = await started((ctx) =>
      Promise.all(
        ["a", "b", "c"].map((name) =>
          ctx.step(name, () => new Promise<string>((resolve) => release.set(name, resolve))),
        ),
      ),
    );
    expect(release.size).toBe(3);
    for (const name of ["c", "a", "b"]) {
      release.get(name)?.(name.toUpperCase());
      await host.settle();
      expect(journalOf(host).at(-1)).toBe(`step.completed step/0/${name}`);
    }
    expect(host.output).toEqual(["A", "B", "C"]);
  });

  test("STEP6 when a run fails, siblings that still execute are aborted and awaited, and what completed is journaled", async () => {
    const signals: AbortSignal[] = [];
    const host = await started((ctx) =>
      Promise.all([
        ctx.step("fails", () => Promise.reject(new FatalError("no"))),
        ctx.step("stops", ({ signal }) => {
          signals.push(signal);
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve("cleaned up")));
        }),
      ]),
    );
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "failed", error: "no" });
    expect(signals[0]?.aborted).toBe(true);
    expect(journalOf(host)).toEqual(["step.failed step/0/fails", "step.completed step/0/stops"]);
  });

  test("STEP6 a sibling that ignores its signal is awaited for a bounded time only", async () => {
    const host = await started((ctx) =>
      Promise.all([ctx.step("fails", () => Promise.reject(new FatalError("no"))), ctx.step("deaf", () => never)]),
    );
    const before = host.clock.now();
    await host.advance();
    expect(host.header.status).toBe("failed");
    expect(host.clock.now() - before).toBeLessThanOrEqual(5_000);
  });
});

describe("nesting", () => {
  test.each([
    ["ctx.step", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.step("inner", () => 1)],
    ["ctx.sleep", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.sleep(1)],
    ["ctx.waitForSignal", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.waitForSignal("s")],
    ["ctx.waitForToken", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.waitForToken().wait()],
  ])(
    "STEP7 %s inside a step body, after an await too, is refused with NESTED_OPERATION and the right way",
    async (_what, nested) => {
      const host = await finished((ctx) =>
        ctx.step("outer", async () => {
          await new Promise((resolve) => setImmediate(resolve));
          await nested(ctx);
        }),
      );
      expect(host.header.error).toMatchObject({ code: "NESTED_OPERATION", step: "step/0/outer" });
      expect(host.header.error?.message).toMatch(/inside step "outer".*await ctx\.step\("b"/s);
      expect(journalOf(host)).toEqual(["step.failed step/0/outer"]);
    },
  );
});
