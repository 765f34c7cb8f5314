import { describe, expect, test } from "vitest";
import { journalOf, outcomeOf, started } from "./run-workflow.ts";

describe("cancel", () => {
  test("CAN1 a cancel aborts ctx.signal and the running step's signal, and its late result changes nothing", async () => {
    let finish: (value: string) => void = () => {};
    const signals: AbortSignal[] = [];
    const host = await started((ctx) => {
      signals.push(ctx.signal);
      return ctx.step("slow", ({ signal }) => {
        signals.push(signal);
        return new Promise((resolve) => (finish = resolve));
      });
    });
    expect(host.cancel("no longer wanted")).toEqual({ type: "done" });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    await host.settle();
    const before = host.store.dump();
    finish("late");
    await host.advance();
    expect(host.store.dump()).toEqual(before);
    expect(outcomeOf(host)).toMatchObject({ status: "cancelled", error: "The run was cancelled: no longer wanted" });
  });

  test("CAN1 an acknowledged cancel survives an immediate crash", async () => {
    const host = await started((ctx) => ctx.step("slow", () => new Promise(() => {})));
    host.cancel();
    host.crash();
    host.fireAlarmIfSet();
    await host.advance();
    expect(host.header.status).toBe("cancelled");
    expect(host.starts).toHaveLength(2);
    expect(host.store.alarm).toBeNull();
  });

  test("CAN2 a parked run whose execution has left memory is replayed once, so that its finally blocks run", async () => {
    const seen: string[] = [];
    const host = await started(async (ctx) => {
      try {
        await ctx.waitForSignal("s");
      } finally {
        seen.push("finally");
      }
    });
    host.crash();
    host.cancel();
    await host.settle();
    expect(host.header).toMatchObject({ status: "cancelled", waits: [] });
    expect(host.header.cleanup).toBeUndefined();
    expect([seen, host.starts.length]).toEqual([["finally"], 2]);
  });

  test("CAN2 a run that has not started yet is cancelled and never starts", async () => {
    const host = await started(() => 1, { trigger: { delayMs: 1_000 } });
    host.cancel();
    await host.advance();
    expect([host.header.status, host.starts.length]).toEqual(["cancelled", 0]);
  });

  test("CAN3 code may clean up: finally blocks run, ctx.signal is aborted, and a new step is rejected with CANCELLED", async () => {
    const seen: unknown[] = [];
    const host = await started(async (ctx) => {
      try {
        await ctx.waitForSignal("never");
      } catch (error) {
        seen.push((error as { code: string }).code);
      } finally {
        seen.push(ctx.signal.aborted);
        await ctx.step("new", () => seen.push("ran")).catch((error: { code: string }) => seen.push(error.code));
      }
    });
    host.cancel();
    await host.settle();
    expect(seen).toEqual(["CANCELLED", true, "CANCELLED"]);
    expect(host.header.status).toBe("cancelled");
    expect(journalOf(host)).toEqual(["wait.opened signal/0/never", "run.unwinding unwind/0/run"]);
  });

  test.each(["cancel", "terminate"] as const)(
    "CAN3 a loop that catches each rejection and asks again does not hold its process after a %s",
    async (command) => {
      let asked = 0;
      const host = await started(async (ctx) => {
        // Without a bound of the engine the loop would end here.
        while (asked < 50_000) {
          asked += 1;
          await ctx.waitForSignal("never").catch(() => {});
        }
      });
      host[command]("stop");
      await host.advance();
      expect(host.header.status).toBe("cancelled");
      expect(asked).toBeLessThan(20_000);
    },
  );

  test("CAN1 CAN7 a second cancel changes nothing, and is rejected with run_terminal after the end", async () => {
    const host = await started((ctx) => ctx.waitForSignal("s"));
    host.cancel();
    expect(host.cancel()).toEqual({ type: "done" });
    await host.settle();
    expect(host.cancel()).toMatchObject({ type: "refused", code: "run_terminal" });
  });
});

describe("time budget", () => {
  test("RUN6 the alarm fails a run whose time budget is used up with WORKFLOW_TIMEOUT, even if a body hangs", async () => {
    const signals: AbortSignal[] = [];
    const host = await started(
      (ctx) =>
        ctx.step("hangs", ({ signal }) => {
          signals.push(signal);
          return new Promise(() => {});
        }),
      { trigger: { timeoutMs: 12_000 } },
    );
    await host.advance();
    expect(host.header).toMatchObject({
      status: "failed",
      error: { code: "WORKFLOW_TIMEOUT" },
      endedAt: host.header.createdAt + 12_000,
    });
    expect(signals[0]?.aborted).toBe(true);
  });

  test("RUN6 the budget counts from the start, not from the trigger", async () => {
    const host = await started((ctx) => ctx.sleep("1h"), { trigger: { delayMs: 60_000, timeoutMs: 1_000 } });
    await host.advance();
    expect(host.header.endedAt).toBe(host.header.createdAt + 61_000);
  });
});
