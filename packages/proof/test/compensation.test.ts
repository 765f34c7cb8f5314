import { planResume } from "@holdfast/orchestrator";
import { FatalError, type WorkflowContext } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { finished, journalOf, outcomeOf, started, workflowOf } from "./run-workflow.ts";

/** A workflow of three steps with compensations, and a failure. Bodies and compensations append to `log`. */
function trip(log: string[], end: (ctx: WorkflowContext) => unknown = () => Promise.reject(new FatalError("no"))) {
  return async (ctx: WorkflowContext): Promise<unknown> => {
    for (const name of ["flight", "hotel", "car"]) {
      await ctx.step(name, { compensate: (output) => void log.push(`undo ${output}`) }, () => {
        log.push(name);
        return name.toUpperCase();
      });
    }
    return end(ctx);
  };
}

const UNDONE = ["flight", "hotel", "car", "undo CAR", "undo HOTEL", "undo FLIGHT"];

describe("unwinding", () => {
  test("COMP1 a failure compensates the completed steps in reverse order, with their results", async () => {
    const log: string[] = [];
    const host = await finished(trip(log));
    expect(log).toEqual(UNDONE);
    expect(outcomeOf(host)).toMatchObject({ status: "compensated", error: "no" });
  });

  test("COMP1 a cancel wakes a parked run for its compensations, and the run ends cancelled with the reason", async () => {
    const log: string[] = [];
    const host = await started(trip(log, (ctx) => ctx.waitForSignal("never")));
    host.crash();
    expect(host.cancel("changed my mind")).toEqual({ type: "done" });
    await host.settle();
    expect(log).toEqual(UNDONE);
    expect(outcomeOf(host)).toMatchObject({ status: "cancelled", error: "The run was cancelled: changed my mind" });
  });

  test("COMP1 a run whose time budget is used up compensates its steps and has the error WORKFLOW_TIMEOUT", async () => {
    const log: string[] = [];
    const host = await finished(
      trip(log, (ctx) => ctx.sleep("1d")),
      { trigger: { timeoutMs: 60_000 } },
    );
    expect(log).toEqual(UNDONE);
    expect(host.header).toMatchObject({ status: "compensated", error: { code: "WORKFLOW_TIMEOUT" } });
  });

  test("COMP1 ctx.compensate compensates the completed steps and ends the run compensated; later code does not execute", async () => {
    const log: string[] = [];
    const host = await finished(
      trip(log, async (ctx) => {
        await ctx.compensate();
        log.push("never");
      }),
    );
    expect(log).toEqual(UNDONE);
    expect(outcomeOf(host)).toMatchObject({ status: "compensated", error: undefined });
  });

  test("COMP1 a compensation has the retry rules of its step", async () => {
    let tries = 0;
    const host = await finished(async (ctx) => {
      const compensate = (): void => {
        tries += 1;
        if (tries < 3) throw new Error("not yet");
      };
      await ctx.step("a", { compensate, retry: { max: 3 } }, () => 1);
      throw new FatalError("no");
    });
    expect([tries, host.header.status]).toEqual([3, "compensated"]);
    expect(journalOf(host).filter((line) => line.includes("compensation"))).toEqual([
      "step.retrying compensation/0/a",
      "step.retrying compensation/0/a",
      "step.completed compensation/0/a",
    ]);
  });

  test("COMP1 a step that failed or never completed is not compensated, and a run without compensations ends failed", async () => {
    const log: string[] = [];
    const compensate = (): void => void log.push("undo");
    const host = await finished((ctx) => ctx.step("a", { compensate }, () => Promise.reject(new FatalError("no"))));
    expect(log).toEqual([]);
    expect(host.header.status).toBe("failed");
  });

  test("COMP1 parallel siblings that complete while the run fails are compensated too", async () => {
    const log: string[] = [];
    const host = await started((ctx) =>
      Promise.all([
        ctx.step("fails", () => Promise.reject(new FatalError("no"))),
        ctx.step(
          "slow",
          { compensate: (output) => void log.push(`undo ${String(output)}`) },
          ({ signal }) => new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("slow"))),
        ),
      ]),
    );
    await host.advance();
    expect(log).toEqual(["undo slow"]);
    expect(host.header.status).toBe("compensated");
  });
});

describe("crashes", () => {
  test.each(["failure", "cancel"])(
    "COMP2 compensation after a %s continues where it was after a crash at any write",
    async (cause) => {
      const run = async (crashAfterCommits: number[]): Promise<[string[], unknown, number]> => {
        const log: string[] = [];
        const body = trip(log, cause === "cancel" ? (ctx) => ctx.waitForSignal("never") : undefined);
        const host = await started(body, { crashAfterCommits });
        await host.advance(60_000);
        if (cause === "cancel") host.cancel();
        await host.advance();
        return [log, outcomeOf(host), host.store.counts.commits];
      };
      const [expected, outcome, commits] = await run([]);
      expect(expected).toEqual(UNDONE);
      for (let at = 1; at <= commits; at++) {
        const [log, ended] = await run([at]);
        // A durable body runs once. The last body before a crash may run again.
        const unique = log.filter((line, place) => line !== log[place - 1]);
        expect([at, unique, ended]).toEqual([at, expected, outcome]);
      }
    },
  );

  test("COMP2 a compensation whose success is durable does not run again", async () => {
    const log: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.step("a", { compensate: () => new Promise(() => {}) }, () => 1);
      await ctx.step("b", { compensate: () => void log.push("undo b") }, () => 2);
      throw new FatalError("no");
    });
    for (let i = 0; i < 3; i++) {
      host.crash();
      host.fireAlarm();
      await host.settle();
    }
    expect(log).toEqual(["undo b"]);
  });
});

describe("ends", () => {
  const undoable = (log: string[]) => ({ compensate: (output: unknown) => void log.push(`undo ${String(output)}`) });

  test("COMP3 a compensation that fails finally does not stop the others, and the run lists the steps that remain", async () => {
    const log: string[] = [];
    const host = await finished(async (ctx) => {
      await ctx.step("a", { compensate: () => void log.push("undo a") }, () => 1);
      await ctx.step("b", { compensate: () => Promise.reject(new FatalError("stuck")) }, () => 2);
      await ctx.step("c", { compensate: () => void log.push("undo c") }, () => 3);
      throw new FatalError("original");
    });
    expect(log).toEqual(["undo c", "undo a"]);
    expect(host.header).toMatchObject({
      status: "compensation_failed",
      error: { message: "original" },
      uncompensated: [{ op: "step/0/b", error: { message: "stuck" } }],
    });
  });

  test("CAN7 a cancel does not change an unwinding run, whose header contains the cause", async () => {
    let end: () => void = () => {};
    const host = await started(async (ctx) => {
      await ctx.step("a", { compensate: () => new Promise<void>((resolve) => (end = resolve)) }, () => 1);
      throw new FatalError("no");
    });
    expect(host.header).toMatchObject({ status: "running", unwinding: { cause: "failure" } });
    const before = host.store.dump();
    expect(host.cancel()).toEqual({ type: "done" });
    expect(host.store.dump()).toEqual(before);
    end();
    await host.settle();
    expect(host.header.status).toBe("compensated");
  });

  test("CAN7 code that catches the CancelledError and returns does not change the end", async () => {
    const log: string[] = [];
    const host = await started(trip(log, (ctx) => ctx.waitForSignal("never").then(String, () => "all is well")));
    host.cancel();
    await host.settle();
    expect(host.header.status).toBe("cancelled");
    expect(log).toEqual(UNDONE);
  });

  test("CAN3 code cleans up before compensation starts, and its new steps are rejected", async () => {
    const log: string[] = [];
    const host = await started(
      trip(log, async (ctx) => {
        try {
          await ctx.waitForSignal("never");
        } finally {
          log.push(`tidy ${String(ctx.signal.aborted)}`);
          await ctx.step("more", () => log.push("more")).catch((error: { code: string }) => log.push(error.code));
        }
      }),
    );
    host.crash();
    host.cancel();
    await host.settle();
    expect(log.slice(3)).toEqual(["tidy true", "CANCELLED", ...UNDONE.slice(3)]);
  });

  test("CAN3 code that does not end after a cancel is abandoned after a bounded time", async () => {
    const log: string[] = [];
    const host = await started(trip(log, (ctx) => ctx.waitForSignal("never").catch(() => new Promise(() => {}))));
    host.cancel();
    await host.advance();
    expect(host.header.status).toBe("cancelled");
    expect(log).toEqual(UNDONE);
  });

  test("RES3 a resumed run executes a compensated step again and keeps the other results", async () => {
    const log: string[] = [];
    let broken = true;
    const body = async (ctx: WorkflowContext): Promise<unknown> => {
      const did = (name: string): string => (log.push(name), name);
      const first = await ctx.step("first", () => did("first"));
      const undone = await ctx.step("undone", { compensate: () => {} }, () => did("undone"));
      const later = await ctx.step("later", () => did("later"));
      if (broken) throw new FatalError("no");
      return [first, undone, later];
    };
    const parent = await finished(body);
    expect(parent.header.status).toBe("compensated");
    broken = false;
    const inherited = planResume(parent.header, parent.journal, { seedResults: [] });
    if ("type" in inherited) throw new Error(inherited.message);
    const child = new MemoryHost({ workflows: [workflowOf(body)] });
    child.trigger("w", undefined, { runId: "run-2", inherited });
    await child.advance();
    expect(child.output).toEqual(["first", "undone", "later"]);
    expect(log).toEqual(["first", "undone", "later", "undone"]);
  });

  test("COMP1 a run that a limit ends compensates its steps", async () => {
    const log: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.step("a", undoable(log), () => "a");
      await Promise.all(Array.from({ length: 1_001 }, () => ctx.waitForSignal("s")));
    });
    await host.advance();
    expect([host.header.status, host.header.error?.code, log]).toEqual(["compensated", "LIMIT_EXCEEDED", ["undo a"]]);
  });

  test("CAN6 a second cancel ends a run whose code does not fit its journal, and the run lists the steps that remain", async () => {
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

  test("COMP1 the code of the moment decides what is undone: a compensation that was added or removed since", async () => {
    const body =
      (options: object) =>
      async (ctx: WorkflowContext): Promise<unknown> => {
        await ctx.step("a", options, () => "a");
        await ctx.waitForSignal("s");
        throw new FatalError("no");
      };
    for (const end of ["signal", "cancel"]) {
      for (const added of [true, false]) {
        const log: string[] = [];
        const [before, now] = added ? [{}, undoable(log)] : [undoable(log), {}];
        const { store, clock } = await started(body(before));
        const host = new MemoryHost({ store, clock, workflows: [workflowOf(body(now))] });
        if (end === "cancel") host.cancel();
        else host.deliver("signal", "s");
        await host.advance();
        const status = end === "cancel" ? "cancelled" : added ? "compensated" : "failed";
        expect([host.header.status, log]).toEqual([status, added ? ["undo a"] : []]);
      }
    }
  });

  test("COMP1 a cancel of a resumed run compensates a step with a seeded result too", async () => {
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

  test("COMP3 a compensation has undone its step also if its result cannot be stored", async () => {
    const host = await finished(async (ctx) => {
      await ctx.step("a", { compensate: () => ({ json: () => "a response" }) }, () => 1);
      await ctx.step("b", { compensate: () => "x".repeat(11_000_000) }, () => 2);
      throw new FatalError("no");
    });
    expect(outcomeOf(host)).toMatchObject({ status: "compensated", error: "no" });
  });

  test("COMP3 a compensation that fails finally is listed with its error", async () => {
    const { header } = await finished(async (ctx) => {
      await ctx.step("a", { compensate: () => Promise.reject(new FatalError("locked")) }, () => 1);
      throw new Error("undo");
    });
    expect(header).toMatchObject({
      status: "compensation_failed",
      uncompensated: [{ op: "step/0/a", error: { message: "locked" } }],
    });
  });
});

describe("groups", () => {
  const steps = (log: string[], ctx: Pick<WorkflowContext, "step">, ...names: string[]): Promise<unknown[]> =>
    Promise.all(
      names.map((name) => ctx.step(name, { compensate: () => void log.push(`undo ${name}`) }, () => log.push(name))),
    );

  test("COMP4 a failure that leaves a group compensates the group's steps before it is rethrown, and the run may continue", async () => {
    const log: string[] = [];
    const host = await finished(async (ctx) => {
      await steps(log, ctx, "outer");
      const caught = await ctx
        .group("attempt", async (group) => {
          await steps(log, group, "a");
          await steps(log, group, "b");
          throw new Error("group failed");
        })
        .catch((error: Error) => error.message);
      await steps(log, ctx, "after");
      return caught;
    });
    expect(log).toEqual(["outer", "a", "b", "undo b", "undo a", "after"]);
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "group failed" });
  });

  test("COMP4 a compensated group is not compensated again when the run fails later", async () => {
    const log: string[] = [];
    const host = await finished(async (ctx) => {
      await steps(log, ctx, "outer");
      await ctx
        .group("attempt", (group) => steps(log, group, "a").then(() => Promise.reject(new Error("x"))))
        .catch(() => {});
      await ctx.group("fine", (group) => steps(log, group, "b"));
      throw new FatalError("no");
    });
    expect(log).toEqual(["outer", "a", "undo a", "b", "undo b", "undo outer"]);
    expect(host.header.status).toBe("compensated");
  });

  test("COMP4 group.compensate compensates the steps of the group", async () => {
    const log: string[] = [];
    await finished((ctx) =>
      ctx.group("attempt", async (group) => {
        await steps(log, group, "a");
        await group.compensate();
        await steps(log, group, "b");
      }),
    );
    expect(log).toEqual(["a", "undo a", "b"]);
  });

  test("STEP7 a ctx operation inside a compensation is rejected with NESTED_OPERATION", async () => {
    const host = await finished(async (ctx) => {
      await ctx.step("a", { compensate: () => ctx.sleep(1) }, () => 1);
      throw new FatalError("no");
    });
    expect(host.header).toMatchObject({
      status: "compensation_failed",
      uncompensated: [{ error: { code: "NESTED_OPERATION" } }],
    });
  });
});
