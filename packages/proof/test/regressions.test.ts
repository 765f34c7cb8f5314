/**
 * Faults that were found by attacking the engine. Each stays as a test.
 */
import { readFileSync } from "node:fs";
import { RunHost, planResume } from "@holdfast/orchestrator";
import { type LiveExecution, type StepDispatcher, encodeValue, errorValue } from "@holdfast/protocol";
import { FatalError, workflow } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost, MemoryStore, VirtualClock } from "@holdfast/workflows/testing";
import { finished, outcomeOf, started, workflowOf } from "./run-workflow.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("lost wake-ups", () => {
  test("DUR5 a retry that falls due in the very report that parks the run is not forgotten", async () => {
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

  test("DUR5 a retry without any delay is not forgotten", async () => {
    const retry = { max: 5, initial: 0, backoff: "fixed" } as const;
    const host = await finished((ctx) =>
      ctx.step("a", { retry }, ({ attempt }) => (attempt < 5 ? Promise.reject(new Error("x")) : attempt)),
    );
    expect(host.output).toBe(5);
  });

  test("DUR5 a pipe that is lost while the run is parked is not spoken to any more", async () => {
    const store = new MemoryStore();
    const definition = workflowOf((ctx) => ctx.waitForSignal("s"));
    let begun = 0;
    let lose: () => void = () => {};
    const dispatcher: StepDispatcher = {
      workflows: () => [definition],
      start(start, port): LiveExecution {
        begun += 1;
        const live = definition.execute(start, port);
        if (begun > 1) return live;
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
    while (status() !== "waiting") await turn();
    lose();
    host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    for (let i = 0; i < 50 && status() !== "completed"; i++) await turn();
    expect([status(), begun]).toEqual(["completed", 2]);
  });

  test("DUR5 an execution that begins after the clock stepped back knows of the retry that was due", async () => {
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

  test("DUR7 crashes count while dispatch had trouble before", async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore();
    const absent = new MemoryHost({ workflows: [], clock, store });
    absent.trigger("w");
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
});

describe("replay", () => {
  test("REP2 pure code between operations may take any number of microtasks while several are open", async () => {
    const clock = new VirtualClock();
    const winners: string[] = [];
    const host = await started(
      async (ctx) => {
        const tidy = async (rows: number[]): Promise<string> => {
          for (const row of rows) await Promise.resolve(row);
          return "fast";
        };
        const slow = ctx.step(
          "slow",
          () => new Promise<string>((resolve) => clock.setTimer(1_000, () => resolve("slow"))),
        );
        const fast = ctx.step("fast", () => Array.from({ length: 300 }, () => 0)).then(tidy);
        const winner = await Promise.race([fast, slow]);
        await slow;
        winners.push(winner);
        await ctx.step(`use ${winner}`, () => 1);
        await ctx.sleep("1s");
        return winner;
      },
      { clock },
    );
    await host.advance(1_500);
    host.crash();
    await host.advance();
    expect([outcomeOf(host), winners]).toMatchObject([{ status: "completed", output: "fast" }, ["fast", "fast"]]);
  });

  test("REP2 a race between a step that takes time and pure code has the same winner on replay", async () => {
    const clock = new VirtualClock();
    const host = await started(
      async (ctx) => {
        const chain = async (): Promise<string> => {
          for (let i = 0; i < 300; i++) await Promise.resolve();
          return "computed";
        };
        const step = ctx.step("slow", () => new Promise<string>((resolve) => clock.setTimer(5, () => resolve("step"))));
        const winner = await Promise.race([step, chain()]);
        await step;
        await ctx.sleep("1s");
        return winner;
      },
      { clock },
    );
    await host.advance(100);
    host.crash();
    await host.advance();
    expect(host.output).toBe("computed");
  });

  test.each([20, 30, 40, 60])(
    "REP2 a race between a step that ends at once and %i microtasks of pure code is the same on replay",
    async (ticks) => {
      const winners: string[] = [];
      const host = await started(async (ctx) => {
        const chain = async (): Promise<string> => {
          for (let i = 0; i < ticks; i++) await Promise.resolve();
          return "computed";
        };
        await ctx.step("before", () => 1);
        winners.push(await Promise.race([ctx.step("at once", async () => "step"), chain()]));
        await ctx.sleep("1s");
      });
      host.crash();
      await host.advance();
      expect(winners).toHaveLength(2);
      expect(winners[1]).toBe(winners[0]);
    },
  );

  test("REP5 an error of the author's own with the code INVALID_INPUT is no change of code", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await ctx.sleep("1s");
      throw Object.assign(new Error("bad card"), { code: "INVALID_INPUT" });
    });
    host.crash();
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "failed", error: "bad card" });
  });

  test("STEP6 a run that once awaited something of its own on replay still stops its siblings when it fails", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", () => 1);
      await turn();
      await turn();
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

  test("STR3 lines that parallel branches log are all written", async () => {
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

describe("resume", () => {
  test("DUR3 a once step whose outcome was lost does not execute again in a resumed run", async () => {
    let paid = 0;
    let broken = true;
    const body = workflowOf((ctx) =>
      Promise.all([
        ctx.step("pay", { once: true }, () => {
          paid += 1;
          return new Promise(() => {});
        }),
        ctx.step("x", () => (broken ? Promise.reject(new FatalError("x")) : 1)),
      ]),
    );
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    broken = false;
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(paid).toBe(1);
    expect(child.header.error).toMatchObject({ code: "STEP_INTERRUPTED" });
  });

  test("RES2 a result may be given for a step whose failure the code had caught, although the code then goes another way", async () => {
    const body = workflowOf(async (ctx) => {
      const found = await ctx
        .step("look", { retry: { max: 1 } }, () => Promise.reject(new Error("none")))
        .catch(() => undefined);
      const used =
        found === undefined
          ? await ctx.step("make", () => "made")
          : await ctx.step("use", () => `used ${String(found)}`);
      await ctx.step("end", () => Promise.reject(new FatalError("no"))).catch(() => {});
      if (found === undefined) throw new FatalError("stop");
      return used;
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { seedResults: [["look", encodeValue("it", "x")]] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: "used it" });
  });
});

describe("undoing", () => {
  const undoable = (log: string[]) => ({ compensate: (output: unknown) => void log.push(`undo ${String(output)}`) });

  test("COMP1 a run that is ended by a limit undoes what it did", async () => {
    const log: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.step("a", undoable(log), () => "a");
      await Promise.all(Array.from({ length: 1_001 }, () => ctx.waitForSignal("s")));
    });
    await host.advance();
    expect([host.header.status, host.header.error?.code, log]).toEqual(["compensated", "LIMIT_EXCEEDED", ["undo a"]]);
  });

  test("CAN6 a run whose code no longer fits can be cancelled for good, and says what was not undone", async () => {
    const log: string[] = [];
    const first = await started(async (ctx) => {
      await ctx.step("a", undoable(log), () => "a");
      await ctx.waitForSignal("s");
    });
    const host = new MemoryHost({
      store: first.store,
      clock: first.clock,
      workflows: [workflowOf((ctx) => ctx.step("other", () => 1))],
    });
    host.cancel();
    await host.settle();
    expect(host.header).toMatchObject({ status: "paused", error: { code: "NON_DETERMINISM" } });
    host.cancel();
    expect(host.header).toMatchObject({
      status: "compensation_failed",
      error: { code: "CANCELLED" },
      uncompensated: [{ op: "step/0/a" }],
    });
  });

  test("COMP1 a step whose result was given to a resumed run is undone with the others when it is cancelled", async () => {
    const log: string[] = [];
    const body = workflowOf(async (ctx) => {
      await ctx.step("a", undoable(log), () => "a");
      await ctx.step("b", undoable(log), () => Promise.reject(new FatalError("no")));
      await ctx.waitForSignal("never");
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    log.length = 0;
    const inherited = planResume(parent.header, parent.journal, { seedResults: [["b", '["given"]']] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.settle();
    child.crash();
    child.cancel();
    await child.settle();
    expect([child.header.status, log]).toEqual(["cancelled", ["undo given", "undo a"]]);
  });
});

describe("resumed runs", () => {
  test("RES3 an input that the schema refuses fails a resumed run, although it took over a journal", async () => {
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "t",
        validate: (value: unknown) => (value === "good" ? { value } : { issues: [{ message: "bad" }] }),
      },
    };
    const body = workflow({
      id: "w",
      input: schema,
      run: async (_input, ctx) => {
        await ctx.step("a", () => 1);
        throw new FatalError("no");
      },
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w", "good");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", "bad", { runId: "run-2", inherited });
    await child.advance();
    expect(child.header).toMatchObject({ status: "failed", error: { code: "INVALID_INPUT" } });
  });

  test("STR1 a stream of the parent is produced again for the readers of the resumed run", async () => {
    const body = workflowOf(async (ctx) => {
      const count = await ctx.stream.text("s", () => ["x", "y"]);
      const kept = await ctx.step("kept", () => Math.random());
      await ctx.step("fails", () => Promise.reject(new FatalError("no"))).catch(() => {});
      throw new FatalError(`${count} ${kept}`);
    });
    const parent = new MemoryHost({ workflows: [body] });
    parent.trigger("w");
    await parent.advance();
    const inherited = planResume(parent.header, parent.journal, { resumeFromStep: "fails", seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [body] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(child.header.streams).toEqual([{ op: "stream/0/s", generation: 1, chunks: 2 }]);
    expect(child.header.error?.message).toBe(parent.header.error?.message);
  });

  test("RES1 the parent learns of a run that was resumed from it by a message that is kept until it is acknowledged", async () => {
    const parent = await finished(() => Promise.reject(new FatalError("no")));
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({
      workflows: [workflowOf(() => 1)],
      world: parent.world,
      clock: parent.clock,
      runId: "run-2",
      crashAfterCommits: [1, 2],
    });
    child.trigger("w", undefined, { inherited });
    await child.advance();
    expect(parent.header.resumedBy).toEqual(["run-2"]);
  });

  test("VER1 a run that was stored in format 1 goes on", async () => {
    const store = new MemoryStore();
    const rows = JSON.parse(readFileSync(new URL("fixtures/format-1.json", import.meta.url), "utf8")) as Record<
      string,
      object
    >;
    store.commit({ puts: new Map(Object.entries(rows)), deletes: new Set() });
    const host = new MemoryHost({ store, workflows: [formatOne] });
    host.deliver("signal", "go", "on");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({
      status: "completed",
      output: { a: 1, caught: "no", winner: null, go: "on", stored: ["kept"] },
    });
  });
});

/** The workflow whose half-way run is the fixture. It must never change. */
const formatOne = workflowOf(async (ctx) => {
  ctx.metadata.set("phase", "begun");
  const a = await ctx.step("a", { compensate: () => {} }, () => 1);
  const caught = await ctx
    .step("bad", { retry: { max: 2, initial: 1 } }, () => Promise.reject(new Error("no")))
    .catch((error: Error) => error.message);
  await ctx.stream.text("log", () => ["x"]);
  const winner = await Promise.race([ctx.waitForSignal("never", { timeout: 5 }), ctx.sleep("1h")]);
  const go = await ctx.waitForSignal("go");
  return { a, caught, winner, go, stored: [await ctx.waitForEvent("early")] };
});
