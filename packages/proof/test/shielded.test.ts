import type { WorkflowContext } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { finished, journalOf, outcomeOf, started } from "./run-workflow.ts";

type Body = (ctx: WorkflowContext) => Promise<unknown>;

/** A workflow that waits, and releases in `finally` what it reserved. */
function holding(did: string[], timeout?: number): Body {
  return async (ctx) => {
    await ctx.step("reserve", { compensate: () => did.push("undo reserve") }, () => did.push("reserve"));
    try {
      await ctx.waitForSignal("go");
      throw new Error("went wrong");
    } finally {
      await ctx.shielded(
        async () => {
          await ctx.step("close", { compensate: () => did.push("undo close") }, () => did.push("close"));
          await ctx.step("release", () => did.push("release"));
        },
        { timeout },
      );
    }
  };
}

describe("ctx.shielded", () => {
  test.each([false, true])(
    "CAN9 CAN3 COMP1 after a cancel its steps execute before the compensations, also of a parked run whose execution has left memory: %s",
    async (evicted) => {
      const did: string[] = [];
      const host = await started(holding(did));
      if (evicted) host.crash();
      host.cancel();
      await host.advance();
      expect(did).toEqual(["reserve", "close", "release", "undo reserve"]);
      expect(host.header).toMatchObject({ status: "cancelled" });
      expect(host.header.cleanup).toBeUndefined();
      expect(journalOf(host)).toEqual([
        "step.completed step/0/reserve",
        "wait.opened signal/0/go",
        "run.unwinding unwind/0/run",
        "step.completed step/0/close",
        "step.completed step/0/release",
        "step.completed compensation/0/reserve",
      ]);
      expect(await host.replayCold()).toEqual([]);
    },
  );

  test("CAN9 RUN6 it works after a failure and after the end of the time budget, too", async () => {
    const failed: string[] = [];
    const host = await started(holding(failed));
    host.deliver("signal", "go");
    await host.advance();
    expect([outcomeOf(host).error, failed]).toEqual(["went wrong", ["reserve", "close", "release", "undo reserve"]]);
    const late: string[] = [];
    const timed = await finished(holding(late), { trigger: { timeoutMs: 10_000 } });
    expect(timed.header).toMatchObject({ status: "compensated", error: { code: "WORKFLOW_TIMEOUT" } });
    expect(late).toEqual(["reserve", "close", "release", "undo reserve"]);
  });

  test.each([false, true])(
    "DUR3 DUR4 CAN9 after a crash at any commit no durable step executes again: across a pipe %s",
    async (remote) => {
      for (let crash = 1; crash < 20; crash++) {
        const did: string[] = [];
        const host = await started(holding(did), { crashAfterCommits: [crash], faults: { remote: () => remote } });
        await host.advance(20_000);
        host.cancel();
        await host.advance();
        expect(host.header).toMatchObject({ status: "cancelled" });
        expect(host.header.cleanup).toBeUndefined();
        const entries = journalOf(host).filter((line) => line.startsWith("step.completed"));
        expect([crash, entries]).toEqual([
          crash,
          ["step/0/reserve", "step/0/close", "step/0/release", "compensation/0/reserve"].map(
            (op) => `step.completed ${op}`,
          ),
        ]);
        expect(did.length).toBeLessThanOrEqual(5);
        if (host.crashes === 0) break;
      }
    },
  );

  test("CAN9 a body in progress is not aborted by a cancel, and its retries continue", async () => {
    const aborted: boolean[] = [];
    let finish: () => void = () => {};
    const host = await started(async (ctx) => {
      await ctx.shielded(() =>
        ctx.step("slow", { retry: { initial: 1_000 } }, async ({ attempt, signal }) => {
          if (attempt === 1) await new Promise<void>((resolve) => (finish = resolve));
          aborted.push(signal.aborted);
          if (attempt < 3) throw new Error("again");
        }),
      );
    });
    host.cancel();
    await host.advance(20_000);
    expect(host.ended).toBe(false);
    finish();
    await host.advance();
    expect([aborted, host.header.status]).toEqual([[false, false, false], "cancelled"]);
    expect(journalOf(host).at(-1)).toBe("step.completed step/0/slow");
  });

  test("CAN9 past the time-out the signal aborts, later steps fail, and the record says so", async () => {
    const signals: AbortSignal[] = [];
    const seen: unknown[] = [];
    const host = await started(async (ctx) => {
      try {
        await ctx.waitForSignal("never");
      } finally {
        await ctx.shielded(
          async ({ step }) => {
            const code = (error: { code: string }): unknown => seen.push(error.code);
            await step("hangs", ({ signal }) => (signals.push(signal), new Promise(() => {}))).catch(code);
            await step("next", () => seen.push("executed")).catch(code);
          },
          { timeout: "10s" },
        );
      }
    });
    host.cancel();
    const cancelledAt = host.clock.now();
    await host.advance();
    expect([seen, signals.map((one) => one.aborted)]).toEqual([["TIMEOUT", "TIMEOUT"], [true]]);
    expect(host.header).toMatchObject({ status: "cancelled", cleanup: "timed out", endedAt: cancelledAt + 15_000 });
    expect(await host.replayCold()).toEqual([]);
  });

  test("CAN9 the time-out of a call continues in the next execution", async () => {
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("never").catch(() => {});
      await ctx.shielded(() => ctx.step("hangs", () => new Promise(() => {})), { timeout: "1m" });
    });
    host.cancel();
    const cancelledAt = host.clock.now();
    await host.advance(40_000);
    host.crash();
    await host.advance();
    expect(host.header.cleanup).toBe("timed out");
    expect(host.header.endedAt).toBeLessThan(cancelledAt + 90_000);
  });

  test.each([true, false])(
    "CAN9 DUR4 an outage leaves its steps time to execute: after a cancel %s",
    async (cancelled) => {
      const did: string[] = [];
      const host = await started(async (ctx) => {
        await ctx.step("reserve", { compensate: () => did.push("undo") }, () => 1);
        try {
          if (cancelled) await ctx.waitForSignal("never");
        } finally {
          await ctx.shielded(({ step }) =>
            step("release", async ({ signal }) => {
              await new Promise((resolve) => host.clock.setTimer(1_000, () => resolve(1)));
              did.push(signal.aborted ? "aborted" : "released");
            }),
          );
        }
        return "done";
      });
      if (cancelled) host.cancel();
      await host.settle();
      host.crash();
      host.clock.jump(600_000);
      await host.advance();
      expect(host.header.cleanup).toBeUndefined();
      expect(host.header.status).toBe(cancelled ? "cancelled" : "completed");
      expect(did).toContain("released");
      expect(did).not.toContain("aborted");
    },
  );

  test("CAN9 inside only steps are allowed", async () => {
    const wrong: Record<string, (ctx: WorkflowContext) => unknown> = {
      wait: (ctx) => ctx.waitForSignal("s"),
      sleep: (ctx) => ctx.sleep(1),
      token: (ctx) => ctx.waitForToken(),
      child: (ctx) => ctx.invoke({ id: "kid" }, 1),
      nested: (ctx) => ctx.shielded(() => 1),
      stream: (ctx) => ctx.stream.json("s", [1]),
      undo: (ctx) => ctx.compensate(),
    };
    for (const body of Object.values(wrong)) {
      const host = await finished((ctx) =>
        ctx.shielded(async () => {
          await ctx.step("allowed", () => 1);
          await body(ctx);
        }),
      );
      expect(host.header).toMatchObject({ status: "failed", error: { code: "SHIELDED_OPERATION" } });
    }
  });

  test("RUN7 CAN9 a time-out over an hour is rejected, and ctx.shielded returns what its function returns", async () => {
    const long = await finished((ctx) => ctx.shielded(() => 1, { timeout: "61m" }));
    expect(long.header.error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("one hour") });
    const host = await finished(async (ctx) => [
      await ctx.shielded(({ step }) => step("a", () => 1)),
      await ctx.sleep(1),
    ]);
    expect(host.output).toEqual([1, undefined]);
  });

  test("CAN3 code around it stays cancelled: a step outside is rejected while one inside executes", async () => {
    const seen: unknown[] = [];
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("never").catch(() => {});
      await Promise.all([
        ctx.shielded(() => ctx.step("inside", () => seen.push("inside"))),
        ctx.step("outside", () => seen.push("outside")).catch((error: { code: string }) => seen.push(error.code)),
      ]);
    });
    host.cancel();
    await host.advance();
    expect(new Set(seen)).toEqual(new Set(["CANCELLED", "inside"]));
  });
});

describe("a stopped run without an executor", () => {
  test("CAN2 ends after 60 s, and its record says that clean-up did not run", async () => {
    let reachable = true;
    const host = await started((ctx) => ctx.waitForSignal("s"), {
      faults: { start: () => (reachable ? undefined : { afterReports: 0, detectedAfterMs: 100 }) },
    });
    host.crash();
    reachable = false;
    host.cancel();
    const cancelledAt = host.clock.now();
    await host.advance();
    expect(host.header).toMatchObject({ status: "cancelled", cleanup: "not run", error: { code: "CANCELLED" } });
    expect((host.header.endedAt ?? 0) - cancelledAt).toBeLessThanOrEqual(60_000);
    expect(host.store.alarm).toBeNull();
  });

  test.each([false, true])(
    "CAN2 DUR9 clean-up code runs when the orchestrator itself was away for longer than that: evicted before %s",
    async (evicted) => {
      const did: string[] = [];
      const host = await started(async (ctx) => {
        try {
          await ctx.waitForSignal("never");
        } finally {
          await ctx.shielded(({ step }) => step("release", () => did.push("release")));
        }
      });
      if (evicted) host.crash();
      host.cancel();
      host.crash();
      host.clock.jump(600_000);
      await host.advance();
      expect(did).toEqual(["release"]);
      expect(host.header).toMatchObject({ status: "cancelled" });
      expect(host.header.cleanup).toBeUndefined();
    },
  );

  test("CAN2 DUR7 a run whose executions die before its clean-up code ends without it", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s"));
    host.cancel();
    for (let deaths = 0; deaths < 12 && !host.ended; deaths++) {
      host.crash();
      host.clock.jump(600_000);
      host.fireAlarmIfSet();
    }
    expect(host.header).toMatchObject({ status: "cancelled", cleanup: "not run" });
    expect(host.store.alarm).toBeNull();
  });

  test("CAN2 CAN5 a cancelled run whose code does not fit ends without clean-up", async () => {
    let code: Body = (ctx) => ctx.waitForSignal("s");
    const host = await started((ctx) => code(ctx));
    code = (ctx) => ctx.waitForSignal("other");
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(host.header).toMatchObject({ status: "paused", error: { code: "NON_DETERMINISM" } });
    host.cancel();
    await host.advance();
    expect(host.header).toMatchObject({ status: "cancelled", cleanup: "not run", error: { code: "CANCELLED" } });
  });

  test("RES1 a run resumed from a cancelled parent executes clean-up steps again", async () => {
    const did: string[] = [];
    const host = await started(holding(did));
    host.cancel();
    await host.advance();
    expect(host.journal.find((entry) => entry.type === "step.completed" && entry.op === "step/0/close")).toMatchObject({
      shielded: true,
    });
  });
});
