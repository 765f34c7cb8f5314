import { describe, expect, test } from "vitest";
import { MemoryStore } from "@holdfast/workflows/testing";
import { finished, journalOf, outcomeOf, started } from "./run-workflow.ts";

describe("steps", () => {
  test("DUR2 a step's result is in the store before the next body starts", async () => {
    const store = new MemoryStore();
    const seen: number[] = [];
    const stored = (): number => Object.keys(store.dump()).filter((key) => key.startsWith("journal/")).length;
    await finished(
      async (ctx) => {
        await ctx.step("a", () => seen.push(stored()));
        await ctx.step("b", () => seen.push(stored()));
        await Promise.all([ctx.step("c", () => seen.push(stored())), ctx.step("d", () => seen.push(stored()))]);
        await ctx.step("e", () => seen.push(stored()));
      },
      { store },
    );
    expect(seen).toEqual([0, 1, 2, 2, 4]);
  });

  test("DUR2 a wait is in the store before a body that could tell of it starts", async () => {
    const store = new MemoryStore();
    let known: unknown;
    await started(
      async (ctx) => {
        const token = ctx.waitForToken();
        await ctx.step("tell", () => (known = store.get(`token/${token.tokenId}`)));
      },
      { store },
    );
    expect(known).toMatchObject({ state: "open" });
  });

  test("DUR3 a step whose result is durable never executes again", async () => {
    const bodies: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.step("a", () => bodies.push("a"));
      await ctx.waitForSignal("go");
      await ctx.step("b", () => bodies.push("b"));
    });
    for (let i = 0; i < 5; i++) {
      host.crash();
      host.fireAlarmIfSet();
      await host.settle();
    }
    host.deliver("signal", "go");
    await host.advance();
    expect(bodies).toEqual(["a", "b"]);
  });

  test("DUR3 a step whose result was not durable executes again", async () => {
    let bodies = 0;
    const never = new Promise<number>(() => {});
    const host = await started((ctx) => ctx.step("a", () => (++bodies === 1 ? never : bodies)));
    host.crash();
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: 2 });
  });

  test("DUR3 a once step whose outcome was lost fails with STEP_INTERRUPTED and its body does not run again", async () => {
    let bodies = 0;
    const host = await started((ctx) =>
      ctx.step("pay", { once: true }, () => {
        bodies += 1;
        return new Promise(() => {});
      }),
    );
    expect(journalOf(host)).toEqual(["step.started step/0/pay"]);
    host.crash();
    await host.advance();
    expect(bodies).toBe(1);
    expect(host.header).toMatchObject({
      status: "failed",
      error: { code: "STEP_INTERRUPTED", category: "RUNTIME_ERROR" },
    });
  });

  test("DUR3 a once step that throws is not tried again, and its error can be caught", async () => {
    let bodies = 0;
    const host = await finished((ctx) =>
      ctx
        .step("pay", { once: true }, () => {
          bodies += 1;
          throw new Error("declined");
        })
        .catch((error: Error) => error.message),
    );
    expect([bodies, host.output]).toEqual([1, "declined"]);
  });
});

describe("wake-ups", () => {
  test("DUR5 state and timer commit together: every commit that leaves the run running carries an alarm within 60 s", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await new Promise(() => {});
    });
    expect(host.header.status).toBe("running");
    expect((host.store.alarm as number) - host.clock.now()).toBeLessThanOrEqual(60_000);
  });

  test("DUR5 a run whose process died right after the trigger was acknowledged is driven by its alarm", async () => {
    const host = await started((ctx) => ctx.step("a", () => "done"), { crashAfterCommits: [1] });
    expect(host.crashes).toBe(1);
    const before = host.clock.now();
    await host.advance();
    expect(host.output).toBe("done");
    expect(host.clock.now() - before).toBeLessThanOrEqual(60_000);
  });

  test("DUR5 a delivery to a run that lost its execution drives it at once", async () => {
    const host = await started(async (ctx) => [await ctx.step("a", () => 1), await ctx.waitForSignal("s")], {
      crashAfterCommits: [1],
    });
    host.deliver("signal", "s", 2);
    await host.settle();
    expect(host.output).toEqual([1, 2]);
  });

  test("DUR5 a live execution is looked after ever more seldom, at most every 30 s", async () => {
    const host = await started((ctx) => ctx.step("long", () => new Promise(() => {})));
    const gaps: number[] = [];
    for (let i = 0; i < 6; i++) {
      host.fireAlarm();
      gaps.push((host.store.alarm as number) - host.clock.now());
    }
    expect(gaps).toEqual([10_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    expect(host.starts).toHaveLength(1);
  });
});

describe("late voices", () => {
  test("DUR6 what a superseded execution reports is refused and changes nothing", async () => {
    const release: ((value: string) => void)[] = [];
    const host = await started((ctx) => ctx.step("a", () => new Promise((resolve) => release.push(resolve))));
    host.crash({ zombies: true });
    host.fireAlarm();
    await host.settle();
    expect(release).toHaveLength(2);
    const before = host.store.dump();
    release[0]?.("zombie");
    await host.settle();
    expect(host.store.dump()).toEqual(before);
    release[1]?.("heir");
    await host.advance();
    expect(host.output).toBe("heir");
  });

  test("DUR6 a report under an old epoch is refused by the orchestrator itself", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s"));
    const reply = host.host.handle({
      type: "report",
      report: { epoch: 0, asked: 1, events: [{ type: "run.completed", output: "-1" }] },
    });
    expect(reply).toEqual({ type: "report", answer: { accepted: false, reason: "superseded" } });
    expect(host.header.status).toBe("waiting");
  });

  test("DUR7 an execution that keeps dying without progress is given up after a bounded number of tries", async () => {
    const host = await started((ctx) => ctx.step("a", () => new Promise(() => {})));
    const before = host.journal;
    for (let i = 0; i < 50 && host.header.status === "running"; i++) {
      host.crash();
      host.fireAlarm();
      await host.settle();
    }
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(host.starts).toHaveLength(11);
    expect(host.journal).toEqual(before);
    expect(host.store.alarm).toBeNull();
  });
});

describe("recovery", () => {
  test("DUR4 after a crash behind any single write the run ends as it would have without", async () => {
    const body = async (ctx: Parameters<Parameters<typeof started>[0]>[0]): Promise<unknown> => {
      const a = await ctx.step("a", () => 1);
      const [b, c] = await Promise.all([
        ctx.step("b", () => a + 1),
        ctx.sleep("5s").then(() => ctx.step("b", () => a + 2)),
      ]);
      return { a, b, c, signal: await ctx.waitForSignal("s") };
    };
    const run = async (crashAfterCommits: number[]): Promise<unknown[]> => {
      const host = await started(body, { crashAfterCommits });
      host.deliver("signal", "s", "x", "d1");
      await host.advance();
      return [outcomeOf(host), host.store.counts.commits, host.crashes];
    };
    const [expected, commits] = await run([]);
    for (let at = 1; at <= (commits as number); at++) {
      const [outcome, , crashes] = await run([at]);
      expect([at, crashes, outcome]).toEqual([at, 1, expected]);
    }
  });

  test("DUR4 a commit that fails leaves nothing behind: the run goes on from what is stored", async () => {
    const store = new MemoryStore();
    let failures = 0;
    store.beforeCommit = (batch) => {
      if (batch.puts.has("journal/0000000002") && failures++ === 0) throw new Error("disk full");
    };
    let bodies = 0;
    const host = await started(async (ctx) => [await ctx.step("a", () => 1), await ctx.step("b", () => ++bodies)], {
      store,
    });
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: [1, 2] });
    expect(failures).toBe(2);
  });
});
