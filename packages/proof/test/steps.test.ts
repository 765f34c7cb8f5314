import { FatalError, RetryableError } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "@holdfast/workflows/testing";
import { eventLoopTurn, finished, journalOf, outcomeOf, started } from "./run-workflow.ts";

const never = new Promise<never>(() => {});

describe("arguments of a body", () => {
  test("STEP1 a body receives its attempt, a signal, and an idempotency key that is stable over attempts and replays and unique per operation", async () => {
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
  ] as const)(
    "STEP2 the journal has the delays of %s backoff from 100 ms to at most 250 ms",
    async (backoff, expected) => {
      const host = await finished((ctx) =>
        ctx.step("a", { retry: { max: 4, backoff, initial: 100, maxDelay: 250 } }, () => {
          throw new Error("no");
        }),
      );
      const delays = host.journal.flatMap((entry) =>
        entry.type === "step.retrying" ? [entry.retryAt - entry.at] : [],
      );
      expect(delays).toHaveLength(3);
      for (const [i, delay] of delays.entries()) {
        expect(delay).toBeGreaterThanOrEqual(expected[i] as number);
        expect(delay).toBeLessThanOrEqual(Math.min((expected[i] as number) * 1.2, 250));
      }
      expect(host.header.error).toMatchObject({ code: "STEP_FAILED", message: "no", step: "step/0/a" });
    },
  );

  test("STEP2 each field that the step's policy lacks comes from the workflow's policy", async () => {
    let bodies = 0;
    const fail = (): never => {
      bodies += 1;
      throw new Error("no");
    };
    await finished((ctx) => ctx.step("a", { retry: { initial: 1 } }, fail), { config: { retry: { max: 5 } } });
    expect(bodies).toBe(5);
  });

  test("STEP2 a run that waits for the next attempt is parked, and its alarm is the time of the attempt", async () => {
    const host = await started((ctx) => ctx.step("a", () => Promise.reject(new Error("no"))));
    expect(host.header.status).toBe("waiting");
    expect(host.store.alarm).toBe(host.header.retryAt);
  });

  test("STEP2 a retry delay that is not a number does not lose the retry", async () => {
    const host = await finished((ctx) =>
      ctx.step("a", ({ attempt }) => {
        if (attempt === 1) throw Object.assign(new Error("x"), { code: "RETRYABLE", retryAfterMs: Number.NaN });
        return attempt;
      }),
    );
    expect(host.output).toBe(2);
  });

  test("STEP2 ctx.setRetry sets the default policy of later steps", async () => {
    let bodies = 0;
    const host = await finished((ctx) => {
      ctx.setRetry({ max: 7, initial: 1 });
      return ctx.step("a", () => Promise.reject(new Error(String(++bodies))));
    });
    expect([outcomeOf(host).error, bodies]).toEqual(["7", 7]);
  });
});

describe("errors", () => {
  test("STEP3 a FatalError is not retried", async () => {
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

  test("STEP3 a RetryableError sets the delay", async () => {
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

  test("STEP3 a caught error has the name, message, code and data of the original, live and on replay", async () => {
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
    ["a function", Object.assign(() => 1, { toString: null }), "an instance of Function was thrown"],
    ["a revoked function", revokedFunction(), "an instance of a class was thrown"],
    ["a response", new Response("no"), "an instance of Response was thrown"],
    [
      "an error without a text",
      Object.assign(new TypeError("m"), { message: {} }),
      "an instance of TypeError was thrown",
    ],
    ["an error without a name", Object.assign(new Error("m"), { name: Object.create(null), stack: "s" }), "m"],
    ["an object", { a: 1 }, "an instance of Object was thrown"],
  ])("STEP3 a body that throws %s fails with an error whose message describes it", async (_what, thrown, message) => {
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

  test("STEP4 the late result of an attempt that timed out is ignored", async () => {
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

  test("STEP4 CAN1 a time-out or a cancel ends a body that never settles", async () => {
    const timed = await finished((ctx) => ctx.step("never", { timeout: "1m", retry: { max: 1 } }, () => never));
    expect(timed.header).toMatchObject({ status: "failed", error: { code: "TIMEOUT" } });
    const cancelled = await started((ctx) => ctx.step("never", () => never));
    cancelled.cancel();
    await cancelled.settle();
    expect(cancelled.header.status).toBe("cancelled");
  });
});

describe("parallel steps", () => {
  test("STEP6 parallel steps run concurrently, and each is journaled when it ends", async () => {
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

  test("STEP6 a failing run aborts and awaits its executing siblings, and journals their results", async () => {
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
      Promise.all([ctx.step("fails", () => Promise.reject(new FatalError("no"))), ctx.step("ignores", () => never)]),
    );
    const before = host.clock.now();
    await host.advance();
    expect(host.header.status).toBe("failed");
    expect(host.clock.now() - before).toBeLessThanOrEqual(5_000);
  });

  test("STEP6 a failing run aborts its siblings, also if its replay awaited a promise that is not an operation", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await eventLoopTurn();
      await eventLoopTurn();
      await ctx.step("b", () => 2);
      await ctx.sleep("1s");
      await Promise.all([
        ctx.step(
          "hangs",
          ({ signal }) =>
            new Promise((_resolve, reject) =>
              signal.addEventListener("abort", () => reject(new FatalError("aborted"))),
            ),
        ),
        ctx.step("fails", () => Promise.reject(new FatalError("no"))),
      ]);
    });
    host.crash();
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "failed", error: "no" });
  });

  test("REP2 ctx.parallel keeps the order of the items and runs at most `concurrency` concurrently", async () => {
    let running = 0;
    let most = 0;
    const host = await finished((ctx) =>
      ctx.parallel(
        [30, 10, 20, 0],
        (ms, index) =>
          ctx.step("work", async () => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setTimeout(resolve, ms));
            running -= 1;
            return `${index}:${ms}`;
          }),
        { concurrency: 2 },
      ),
    );
    await expect.poll(() => host.header.status).toBe("completed");
    expect([host.output, most]).toEqual([["0:30", "1:10", "2:20", "3:0"], 2]);
  });

  test("STEP6 ctx.parallel with settle waits for all items and throws one error with the failed indices", async () => {
    const done: number[] = [];
    const host = await finished((ctx) =>
      ctx
        .parallel(
          [0, 1, 2, 3],
          (n) =>
            ctx.step("work", { retry: { max: 1 } }, () => {
              if (n % 2 === 1) throw new Error(`no ${n}`);
              done.push(n);
            }),
          { settle: true },
        )
        .catch((error: AggregateError & { failed: number[] }) => [
          error.name,
          error.failed,
          error.errors.map((one: Error) => one.message),
        ]),
    );
    expect([host.output, done]).toEqual([
      ["AggregateError", [1, 3], ["no 1", "no 3"]],
      [0, 2],
    ]);
  });
});

describe("nesting", () => {
  test.each([
    ["ctx.step", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.step("inner", () => 1)],
    ["ctx.sleep", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.sleep(1)],
    ["ctx.waitForSignal", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.waitForSignal("s")],
    ["ctx.waitForToken", (ctx: Parameters<Parameters<typeof finished>[0]>[0]) => ctx.waitForToken().wait()],
  ])(
    "STEP7 %s inside a step body, also after an await, is rejected with NESTED_OPERATION and a correct example",
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

function revokedFunction(): () => void {
  const { proxy, revoke } = Proxy.revocable(() => {}, {});
  revoke();
  return proxy;
}
