import type { WorkflowContext } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost, MemoryStore } from "@holdfast/workflows/testing";
import { finished, journalOf, outcomeOf, started, workflowOf } from "./run-workflow.ts";

type Body = Parameters<typeof started>[0];

/** Runs `body` without a crash, with a crash after each commit, and with crashes at all journal writes. Checks that all outcomes are equal, and returns the outcome. */
async function sameAfterAnyCrash(
  body: Body,
  outside: (host: MemoryHost) => Promise<void> = async () => {},
): Promise<unknown> {
  const run = async (crashAfterCommits: number[] | "journal-writes"): Promise<[unknown, number]> => {
    const host = await started(body, { crashAfterCommits });
    await outside(host);
    await host.advance();
    return [outcomeOf(host), host.store.counts.commits];
  };
  const [expected, commits] = await run([]);
  for (let at = 1; at <= commits; at++) expect([at, (await run([at]))[0]]).toEqual([at, expected]);
  expect((await run("journal-writes"))[0]).toEqual(expected);
  return expected;
}

const after = (ctx: WorkflowContext, ms: number, name: string): Promise<string> =>
  ctx.sleep(ms).then(() => ctx.step(name, () => name));

describe("outcomes from the journal", () => {
  test("REP1 a replay receives every journaled outcome and runs no body again", async () => {
    const bodies: string[] = [];
    const host = await started(async (ctx) => {
      const a = await ctx.step("a", () => bodies.push("a"));
      const failed = await ctx
        .step("b", { retry: { max: 1 } }, () => {
          bodies.push("b");
          throw new RangeError("no");
        })
        .catch((error: Error) => error.name);
      await ctx.sleep("1s");
      return [a, failed, await ctx.waitForSignal("s")];
    });
    await host.advance(1_000);
    host.crash();
    host.deliver("signal", "s", "go");
    await host.advance();
    expect(host.output).toEqual([1, "RangeError", "go"]);
    expect(bodies).toEqual(["a", "b"]);
  });
});

describe("order", () => {
  test("REP2 a race between a signal and a sleep has the same winner live and after a crash at any commit", async () => {
    const race: Body = (ctx) =>
      Promise.race([ctx.waitForSignal("a", { timeout: "1h" }), ctx.sleep("1s").then(() => "slept")]);
    expect(await sameAfterAnyCrash(race)).toMatchObject({ output: "slept" });
    const deliver = async (host: MemoryHost): Promise<void> => {
      host.deliver("signal", "a", "came", "d1");
      await host.settle();
    };
    expect(await sameAfterAnyCrash(race, deliver)).toMatchObject({ output: "came" });
  });

  test("REP2 nested all, race, any and allSettled settle in the same order in every replay, after a crash at any commit", async () => {
    const executions: string[][] = [];
    const body: Body = async (ctx) => {
      const log: string[] = [];
      executions.push(log);
      const track = async (name: string, ms: number): Promise<string> => {
        const value = await after(ctx, ms, name);
        log.push(value);
        return value;
      };
      const first = await Promise.race([
        Promise.all([track("a", 300), track("b", 100)]),
        Promise.any([track("c", 200), ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("bad")))]),
        Promise.allSettled([track("d", 250), track("e", 50)]),
      ]);
      log.push(`first is ${JSON.stringify(first)}`);
      const rest = await Promise.all([track("f", 10), Promise.race([track("g", 20), track("h", 20)])]);
      log.push(`rest is ${JSON.stringify(rest)}`);
      return log;
    };
    const { commits } = (await finished(body)).store.counts;
    expect(commits).toBeGreaterThan(15);
    for (let at = 1; at <= commits; at++) {
      executions.length = 0;
      const host = await finished(body, { crashAfterCommits: [at] });
      const [before = [], afterCrash] = executions;
      // The execution after the crash repeats the observations of the execution before it, in the same order.
      if (afterCrash !== undefined) expect([at, afterCrash.slice(0, before.length)]).toEqual([at, before]);
      const output = host.output as string[];
      expect([at, host.header.status, output]).toEqual([at, "completed", executions.at(-1)?.slice(0, output.length)]);
    }
  });

  test("REP2 a race of two steps that end in one turn has the same winner on replay, with promise chains of any depth", async () => {
    await sameAfterAnyCrash(async (ctx) => {
      const deep = async (depth: number, value: Promise<string>): Promise<string> =>
        depth === 0 ? value : deep(depth - 1, value);
      const winner = await Promise.race([
        deep(
          40,
          ctx.step("a", () => "a"),
        ),
        ctx.step("b", () => "b"),
      ]);
      await ctx.sleep(1);
      return winner;
    });
  });

  test("REP2 a race between a buffered signal and a plain value has the same winner on replay", async () => {
    const result = await sameAfterAnyCrash(
      async (ctx) => {
        await ctx.step("first", () => 1);
        const winner = await Promise.race([ctx.waitForSignal("early"), Promise.resolve("nothing yet")]);
        await ctx.sleep("1s");
        return winner;
      },
      async (host) => {
        host.deliver("signal", "early", "there", "d1");
        await host.settle();
      },
    );
    expect(result).toMatchObject({ output: "nothing yet" });
  });
});

describe("names", () => {
  test("REP3 the same name in a loop is a new operation each time and keeps its own result", async () => {
    const result = await sameAfterAnyCrash(async (ctx) => {
      const results: number[] = [];
      for (let i = 0; i < 5; i++) results.push(await ctx.step("turn", () => i * 10));
      return results;
    });
    expect(result).toMatchObject({ output: [0, 10, 20, 30, 40] });
  });

  test("REP3 parallel branches that use one name and end in another order keep their own results", async () => {
    const result = await sameAfterAnyCrash((ctx) =>
      Promise.all([300, 100, 200].map((ms) => ctx.sleep(ms).then(() => ctx.step("work", () => ms)))),
    );
    expect(result).toMatchObject({ output: [300, 100, 200] });
  });
});

describe("determinism", () => {
  test("REP4 now, random and randomUUID return the same values in every replay", async () => {
    const reads: unknown[][] = [];
    const host = await started(async (ctx) => {
      const read: unknown[] = [];
      reads.push(read);
      read.push(ctx.now().getTime(), ctx.random(), ctx.randomUUID());
      await ctx.step("a", () => {
        ctx.random();
        ctx.randomUUID();
        return ctx.now().getTime();
      });
      read.push(ctx.now().getTime(), ctx.random());
      await ctx.sleep("1h");
      read.push(ctx.now().getTime(), ctx.randomUUID());
      await ctx.waitForSignal("s");
    });
    await host.advance(3_600_000);
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(reads).toHaveLength(2);
    expect(reads[0]).toHaveLength(7);
    expect(reads[1]).toEqual(reads[0]);
  });

  test("REP4 a call inside a step body, also after an await, does not change later values", async () => {
    const draw = async (noisy: boolean): Promise<unknown> => {
      const host = await finished(async (ctx) => {
        const before = ctx.random();
        await ctx.step("a", async () => {
          if (!noisy) return;
          await Promise.resolve();
          ctx.random();
          ctx.randomUUID();
        });
        return [before, ctx.random(), ctx.randomUUID()];
      });
      return host.output;
    };
    expect(await draw(true)).toEqual(await draw(false));
  });

  test("REP4 the numbers are spread evenly over [0, 1) and differ between seeds", async () => {
    const draw = async (seed: string): Promise<number[]> =>
      (await finished((ctx) => Array.from({ length: 2_000 }, () => ctx.random()), { trigger: { seed } }))
        .output as number[];
    const [a, b, zero] = [await draw("0".repeat(31) + "1"), await draw("f".repeat(32)), await draw("0".repeat(32))];
    for (const numbers of [a, b, zero]) {
      expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      expect(new Set(numbers).size).toBe(2_000);
    }
    expect(b.reduce((sum, number) => sum + number, 0) / 2_000).toBeCloseTo(0.5, 1);
    expect(a).not.toEqual(b);
  });
});

describe("changed code", () => {
  const recorded: Body = async (ctx) => [
    await ctx.step("a", () => 1),
    await ctx.step("b", () => 2),
    await ctx.waitForSignal("s"),
  ];
  const changes: [string, Body, RegExp][] = [
    [
      "another step first",
      async (ctx) => [await ctx.step("new", () => 0), await recorded(ctx, 0)],
      /step "a".*step "new"/,
    ],
    [
      "a step removed",
      async (ctx) => [await ctx.step("b", () => 2), await ctx.waitForSignal("s")],
      /step "a".*step "b"/,
    ],
    [
      "another order",
      async (ctx) => [await ctx.step("b", () => 2), await ctx.step("a", () => 1)],
      /step "a".*step "b"/,
    ],
    ["another kind", async (ctx) => [await ctx.waitForSignal("a")], /step "a".*signal "a"/],
    ["an early end", async (ctx) => ctx.step("a", () => 1), /step "b".*ended after 1/],
    [
      "a wait that is gone",
      async (ctx) => [await ctx.step("a", () => 1), await ctx.step("b", () => 2)],
      /signal "s".*ended after 2/,
    ],
  ];

  test.each(changes)(
    "REP5 %s pauses the run with NON_DETERMINISM and both operations, runs no body and keeps the journal",
    async (_what, changed, message) => {
      const store = new MemoryStore();
      const before = await started(recorded, { store });
      const journal = before.journal;
      let bodies = 0;
      const host = new MemoryHost({
        store,
        clock: before.clock,
        workflows: [
          workflowOf((ctx, input) =>
            changed(
              countBodies(ctx, () => (bodies += 1)),
              input,
            ),
          ),
        ],
      });
      host.deliver("signal", "s", 1);
      await host.advance(60_000);
      expect(host.header).toMatchObject({
        status: "paused",
        error: { code: "NON_DETERMINISM", category: "RUNTIME_ERROR" },
      });
      expect(host.header.error?.message).toMatch(message);
      expect(host.journal.slice(0, journal.length)).toEqual(journal);
      expect(bodies).toBe(0);
    },
  );

  test("REP5 an author's error with the code INVALID_INPUT is not detected as changed code", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await ctx.sleep("1s");
      throw Object.assign(new Error("bad card"), { code: "INVALID_INPUT" });
    });
    host.crash();
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "failed", error: "bad card" });
  });
});

function countBodies(ctx: WorkflowContext, count: () => void): WorkflowContext {
  const step = (id: string, fn: () => unknown): unknown => ctx.step(id, () => (count(), fn()));
  return { ...ctx, step } as WorkflowContext;
}

describe("cost", () => {
  test("REP6 N sequential steps write N + 2 rows and read no journal", async () => {
    const host = await finished(async (ctx) => {
      for (let i = 0; i < 500; i++) await ctx.step("turn", () => i);
    });
    const { rowsWritten, alarmsSet, journalReads } = host.store.counts;
    expect(rowsWritten).toBe(502);
    expect(alarmsSet).toBe(2);
    expect(journalReads).toBe(0);
  });

  test("REP6 a wake of a run in memory does not replay the function", async () => {
    let calls = 0;
    const host = await started(async (ctx) => {
      calls += 1;
      for (let i = 0; i < 3; i++) await ctx.waitForSignal("s");
      return calls;
    });
    for (let i = 0; i < 3; i++) {
      host.deliver("signal", "s");
      await host.settle();
    }
    expect([host.output, host.starts.length, host.store.counts.journalReads]).toEqual([1, 1, 0]);
  });

  test("REP6 a wake of a run that left memory reads its journal once", async () => {
    const host = await started(async (ctx) => {
      for (let i = 0; i < 100; i++) await ctx.step("turn", () => i);
      await ctx.waitForSignal("s");
    });
    host.crash();
    const before = host.store.counts.journalReads;
    host.deliver("signal", "s");
    await host.settle();
    expect(host.header.status).toBe("completed");
    expect(host.store.counts.journalReads - before).toBe(1);
  });
});

describe("user code that catches errors", () => {
  test("REP7 a wait inside try/catch, a wait that is never awaited and a rejection that is handled late are allowed", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const result = await sameAfterAnyCrash(async (ctx) => {
      const caught: string[] = [];
      void ctx.waitForEvent("nobody-waits");
      const late = ctx.step("fails", { retry: { max: 1 } }, () => Promise.reject(new Error("late")));
      try {
        await ctx.sleep("1s");
        await ctx.waitForSignal("s", { timeout: "1s", onTimeout: "throw" });
      } catch (error) {
        caught.push((error as Error).name);
      } finally {
        await ctx.step("finally", () => 1);
      }
      await late.catch((error: Error) => caught.push(error.message));
      return caught;
    });
    process.off("unhandledRejection", note);
    expect(result).toMatchObject({ status: "completed", output: ["TimeoutError", "late"] });
    expect(unhandled).toEqual([]);
  });

  test("REP7 code that catches every error catches no error of the engine", async () => {
    const seen: unknown[] = [];
    await sameAfterAnyCrash(async (ctx) => {
      try {
        await ctx.step("a", () => 1);
        await ctx.sleep("1m");
        return await ctx.waitForSignal("s", { timeout: "1m" });
      } catch (error) {
        seen.push(error);
        throw error;
      }
    });
    expect(seen).toEqual([]);
  });

  test("REP7 a promise that is not an operation may be awaited between operations, live and on replay", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      await ctx.step("b", () => 2);
      return ctx.waitForSignal("s");
    });
    host.crash();
    host.deliver("signal", "s", "ok");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "ok" });
  });

  test("STR3 a log line is written once, and a replay does not repeat it", async () => {
    const host = await started(async (ctx) => {
      ctx.log.info("begins");
      await ctx.step("a", ({ log }) => log.warn("body", { x: 1 }));
      ctx.log.info("between");
      await ctx.waitForSignal("s");
      ctx.log.info("ends");
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(host.logged.map((line) => line.message)).toEqual(["begins", "body", "between", "ends"]);
    expect(journalOf(host)).toHaveLength(3);
  });

  test("STR3 the log lines of all parallel branches are written", async () => {
    const host = await finished((ctx) =>
      Promise.all(
        ["a", "b"].map(async (name) => {
          await ctx.step(name, () => 1);
          ctx.log.info(`after ${name}`);
        }),
      ),
    );
    expect(host.logged.map((line) => line.message)).toEqual(["after a", "after b"]);
  });
});
