import { RunHost } from "@holdfast/orchestrator";
import { type LiveExecution, type StepDispatcher, errorValue } from "@holdfast/protocol";
import { MemoryHost, MemoryStore, VirtualClock } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { eventLoopTurn, finished, journalOf, outcomeOf, started, workflowOf } from "./run-workflow.ts";

describe("steps", () => {
  test("DUR2 a step's result is stored before the next body starts", async () => {
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

  test("DUR2 a wait is stored before a body that could publish its token starts", async () => {
    const store = new MemoryStore();
    let known: unknown;
    await started(
      async (ctx) => {
        const token = ctx.waitForToken();
        await ctx.step("publish", () => (known = store.get(`token/${token.tokenId}`)));
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

  test("DUR3 a once step that throws is not retried, and its error can be caught", async () => {
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
  test("DUR5 a running run has an alarm within 60 s, which is stored in the same commit", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await new Promise(() => {});
    });
    expect(host.header.status).toBe("running");
    expect((host.store.alarm as number) - host.clock.now()).toBeLessThanOrEqual(60_000);
  });

  test("DUR5 the alarm continues a run whose process died right after the trigger was acknowledged", async () => {
    const host = await started((ctx) => ctx.step("a", () => "done"), { crashAfterCommits: [1] });
    expect(host.crashes).toBe(1);
    const before = host.clock.now();
    await host.advance();
    expect(host.output).toBe("done");
    expect(host.clock.now() - before).toBeLessThanOrEqual(60_000);
  });

  test("DUR5 a delivery starts a new execution of a run that lost its execution", async () => {
    const host = await started(async (ctx) => [await ctx.step("a", () => 1), await ctx.waitForSignal("s")], {
      crashAfterCommits: [1],
    });
    host.deliver("signal", "s", 2);
    await host.settle();
    expect(host.output).toEqual([1, 2]);
  });

  test("DUR5 the watchdog interval of a live execution grows to 30 s", async () => {
    const host = await started((ctx) => ctx.step("long", () => new Promise(() => {})));
    const gaps: number[] = [];
    for (let i = 0; i < 6; i++) {
      host.fireAlarm();
      gaps.push((host.store.alarm as number) - host.clock.now());
    }
    expect(gaps).toEqual([10_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    expect(host.starts).toHaveLength(1);
  });

  test("DUR5 a retry that is due when a report parks the run is not lost", async () => {
    const clock = new VirtualClock();
    const host = await started(
      (ctx) =>
        Promise.all([
          ctx.step("a", { retry: { max: 3, initial: 10 } }, ({ attempt }) => {
            if (attempt === 1) throw new Error("x");
          }),
          ctx.step("b", () => 1).then(() => clock.jump(20)),
        ]),
      { clock },
    );
    await host.advance();
    expect(host.header.status).toBe("completed");
  });

  test("DUR5 a retry without a delay is not lost", async () => {
    const retry = { max: 5, initial: 0, backoff: "fixed" } as const;
    const host = await finished((ctx) =>
      ctx.step("a", { retry }, ({ attempt }) => (attempt < 5 ? Promise.reject(new Error("x")) : attempt)),
    );
    expect(host.output).toBe(5);
  });

  test("DUR5 a delivery after the loss of a parked execution's pipe starts a new execution", async () => {
    const store = new MemoryStore();
    const definition = workflowOf((ctx) => ctx.waitForSignal("s"));
    let executions = 0;
    let lose: () => void = () => {};
    const dispatcher: StepDispatcher = {
      workflows: () => [definition],
      start(start, port): LiveExecution {
        executions += 1;
        const live = definition.execute(start, port);
        if (executions > 1) return live;
        lose = () => port.lost(errorValue("DISPATCH_FAILED", "the pipe is gone"));
        return { update: () => {}, abort: (reason) => live.abort(reason) };
      },
    };
    const host = new RunHost({ store, dispatcher, clock: () => 1_000 });
    host.handle({
      type: "trigger",
      identity: { id: "r", workflowId: "w", tags: [], environment: "t", triggeredBy: "api" },
      input: "-1",
      seed: "0".repeat(32),
    });
    const status = (): string | undefined => host.state.header?.status;
    while (status() !== "waiting") await eventLoopTurn();
    lose();
    host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    for (let i = 0; i < 50 && status() !== "completed"; i++) await eventLoopTurn();
    expect([status(), executions]).toEqual(["completed", 2]);
  });

  test("DUR5 an execution that starts after the clock stepped back executes a retry that was due before", async () => {
    const host = await started((ctx) =>
      ctx.step("a", ({ attempt }) => (attempt < 2 ? Promise.reject(new Error("x")) : new Promise(() => {}))),
    );
    await host.advance(5_000);
    host.crash();
    host.clock.jump(-4_000);
    host.fireAlarm();
    await host.settle();
    expect(host.host.stepsInProgress()).toHaveLength(1);
  });
});

describe("reports of superseded executions", () => {
  test("DUR6 a report of a superseded execution is rejected and changes no row", async () => {
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

  test("DUR6 the orchestrator rejects a report with an old epoch", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s"));
    const reply = host.host.handle({
      type: "report",
      report: { epoch: 0, asked: 1, events: [{ type: "run.completed", output: "-1" }] },
    });
    expect(reply).toEqual({ type: "report", answer: { accepted: false, reason: "superseded" } });
    expect(host.header.status).toBe("waiting");
  });

  test("DUR7 a run whose executions die without progress is paused after a bounded number of executions", async () => {
    const host = await started((ctx) => ctx.step("a", () => new Promise(() => {})));
    const before = host.journal;
    for (let i = 0; i < 50 && host.header.status === "running"; i++) {
      host.crash();
      host.fireAlarm();
      await host.settle();
    }
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(host.starts).toHaveLength(10);
    expect(host.journal).toEqual(before);
    expect(host.store.alarm).toBeNull();
  });

  test("DUR7 crashes are counted after a dispatch failure", async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore();
    const before = new MemoryHost({ workflows: [workflowOf(() => 1)], clock, store });
    before.trigger("w", undefined, { delayMs: 1_000 });
    // The next deployment does not serve the workflow.
    const absent = new MemoryHost({ workflows: [], clock, store });
    absent.fireAlarm();
    await absent.settle();
    expect(absent.header.dispatch).toMatchObject({ failures: 1 });
    const host = new MemoryHost({
      clock,
      store,
      workflows: [workflowOf((ctx) => ctx.step("a", () => new Promise(() => {})))],
    });
    for (let i = 0; i < 60 && host.header.status === "running"; i++) {
      host.fireAlarm();
      await host.settle();
      expect(store.alarm === null || store.alarm > clock.now()).toBe(true);
      host.crash();
    }
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
  });

  test("DUR7 a run whose process dies at the same step is paused, and its journal is unchanged", async () => {
    const host = new MemoryHost({
      workflows: [
        workflowOf((ctx) => ctx.step("ok", () => 1).then(() => ctx.step("deadly", () => new Promise(() => {})))),
      ],
    });
    host.trigger("w");
    await host.settle();
    for (let deaths = 0; host.header.status === "running" && deaths < 50; deaths++) {
      host.crash();
      host.fireAlarmIfSet();
      await host.settle();
    }
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(host.journal.map(({ op }) => op)).toEqual(["step/0/ok"]);
  });

  test("DUR8 an executor that is detected as lost is replaced, and the step executes again", async () => {
    let attempts = 0;
    const host = new MemoryHost({
      workflows: [workflowOf((ctx) => ctx.step("a", () => ++attempts))],
      faults: { start: () => (attempts === 0 ? { afterReports: 0, detectedAfterMs: 20_000 } : undefined) },
    });
    host.trigger("w");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: 2 });
  });
});

describe("recovery", () => {
  test("DUR4 a run with a crash after any single write has the same end as a run without a crash", async () => {
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

  test("DUR4 after a failed commit the run continues from the stored rows", async () => {
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
