import type { WorkflowContext } from "@holdfast/workflows";
import type { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { finished, journalOf, outcomeOf, started } from "./run-workflow.ts";

const reasonOf = (wait: Promise<unknown>): Promise<unknown> =>
  wait.then(
    (value) => ["value", value],
    (reason: unknown) => (reason instanceof Error ? [reason.name, reason.message] : reason),
  );

describe("a wait with a signal", () => {
  test("WAIT11 a signal that aborts lets sleeps, signals, events and tokens go, and they reject with its reason", async () => {
    const host = await finished(async (ctx) => {
      const stop = new AbortController();
      const { signal } = stop;
      const waits = [
        ctx.sleep("1h", { signal }),
        ctx.sleepUntil(new Date(ctx.now().getTime() + 60_000), { signal }),
        ctx.waitForSignal("s", { signal }),
        ctx.waitForEvent("e", { signal, timeout: "1h" }),
        ctx.waitForToken({ tokenId: "t", signal }).wait(),
      ].map(reasonOf);
      await ctx.step("decide", () => 1);
      stop.abort({ code: 7 });
      return Promise.all(waits);
    });
    expect(host.output).toEqual(Array.from({ length: 5 }, () => ({ code: 7 })));
    expect(host.header.endedAt).toBe(host.header.createdAt);
    expect(journalOf(host).filter((line) => line.startsWith("wait.released"))).toHaveLength(5);
    expect(host.resolveToken("t")).toMatchObject({ type: "refused" });
    expect(await host.replayCold()).toEqual([]);
  });

  test("WAIT11 the default reason, and one that cannot be stored, arrive as errors", async () => {
    const host = await finished(async (ctx) => {
      const [plain, odd] = [new AbortController(), new AbortController()];
      const waits = [ctx.sleep(1_000, { signal: plain.signal }), ctx.sleep(1_000, { signal: odd.signal })].map(
        reasonOf,
      );
      plain.abort();
      odd.abort(() => 1);
      return Promise.all(waits);
    });
    expect(host.output).toMatchObject([
      ["AbortError", expect.stringContaining("aborted")],
      ["Error", expect.any(String)],
    ]);
  });

  test("WAIT2 WAIT11 with a signal that has aborted a wait takes no delivery: the next wait has it", async () => {
    const host = await started(async (ctx) => {
      await ctx.sleep(10);
      const signal = AbortSignal.abort("over");
      const first = await reasonOf(ctx.waitForSignal("s", { signal }));
      const none = await reasonOf(ctx.sleep(0, { signal }));
      return [first, none, await ctx.waitForSignal("s")];
    });
    host.deliver("signal", "s", 1);
    await host.advance();
    expect(host.output).toEqual(["over", "over", 1]);
  });

  test.each([false, true])(
    "WAIT4 WAIT11 a delivery that was journaled before the abort wins: across a pipe %s",
    async (remote) => {
      const stop = new AbortController();
      const host = await started(
        async (ctx) => [
          await reasonOf(ctx.waitForSignal("s", { signal: stop.signal })),
          await ctx.waitForSignal("s", { timeout: 10 }),
        ],
        { faults: { remote: () => remote } },
      );
      host.deliver("signal", "s", 1);
      stop.abort("late");
      await host.advance();
      expect(host.output).toEqual([["value", 1], null]);
    },
  );

  test("WAIT2 WAIT11 a delivery after the abort goes to the next wait, or is buffered", async () => {
    const stop = new AbortController();
    const host = await started(async (ctx) => {
      const first = await reasonOf(ctx.waitForSignal("s", { signal: stop.signal }));
      const second = ctx.waitForSignal("s");
      return [first, await second, await ctx.waitForSignal("s")];
    });
    stop.abort("early");
    await host.settle();
    expect(host.deliver("signal", "s", 1)).toMatchObject({ delivery: "resolved" });
    host.deliver("signal", "s", 2);
    await host.advance();
    expect(host.output).toEqual(["early", 1, 2]);
  });

  test("WAIT11 REP2 on replay the wait rejects at its entry, whether or not the signal aborts again", async () => {
    let aborts = true;
    const host = await started(async (ctx) => {
      const stop = new AbortController();
      const wait = reasonOf(ctx.waitForSignal("s", { signal: stop.signal }));
      await ctx.sleep(100);
      if (aborts) stop.abort("by the code");
      const reason = await wait;
      return [reason, ctx.now().getTime() - ctx.run.startedAt.getTime(), await ctx.waitForSignal("end")];
    });
    await host.advance(1_000);
    host.crash();
    aborts = false;
    host.deliver("signal", "end", 1);
    await host.advance();
    expect(host.output).toEqual(["by the code", 100, 1]);
  });

  test("WAIT11 REP5 a delivery in the journal wins on replay although the signal aborts earlier now", async () => {
    let aborts = false;
    const host = await started(async (ctx) => {
      const stop = new AbortController();
      const wait = reasonOf(ctx.waitForSignal("s", { signal: stop.signal }));
      if (aborts) stop.abort("too early");
      return [await wait, await ctx.waitForSignal("end")];
    });
    host.deliver("signal", "s", 1);
    await host.settle();
    host.crash();
    aborts = true;
    host.deliver("signal", "end", 2);
    await host.advance();
    expect(host.output).toEqual([["value", 1], 2]);
  });

  test("DUR4 DUR5 WAIT11 after a crash at any commit a run whose signal aborted continues, on both kinds of pipes", async () => {
    const body = async (ctx: WorkflowContext): Promise<unknown> => {
      const stop = new AbortController();
      const idle = reasonOf(ctx.waitForSignal("s", { signal: stop.signal, timeout: "1h" }));
      await ctx.step("work", () => 1);
      stop.abort("done");
      return [await idle, await ctx.step("after", () => 2), await ctx.waitForSignal("s", { timeout: 50 })];
    };
    for (const remote of [false, true]) {
      for (let crash = 0; crash === 0 || crash < 20; crash++) {
        const host = await finished(body, { crashAfterCommits: [crash], faults: { remote: () => remote } });
        expect(outcomeOf(host)).toMatchObject({ status: "completed", output: ["done", 2, null] });
        expect(await host.replayCold()).toEqual([]);
      }
    }
  });

  test("DUR5 WAIT11 a parked run whose signal aborts by itself has a watchdog while it continues", async () => {
    const stop = new AbortController();
    const host = await started(async (ctx) => {
      await reasonOf(ctx.sleep("1h", { signal: stop.signal }));
      return ctx.step("hangs", () => new Promise(() => {}));
    });
    expect(host.header.status).toBe("waiting");
    stop.abort("now");
    await host.settle();
    expect(host.header).toMatchObject({ status: "running", watchdogAt: expect.any(Number) });
  });

  test("WAIT5 WAIT11 an iteration ends with the reason of its signal", async () => {
    const stop = new AbortController();
    const host = await started(async (ctx) => {
      const got: unknown[] = [];
      try {
        for await (const one of ctx.waitForEvent("e", { signal: stop.signal })) got.push(one);
      } catch (reason) {
        got.push(reason);
      }
      return got;
    });
    for (const one of [1, 2]) {
      host.deliver("event", "e", one);
      await host.settle();
    }
    stop.abort("over");
    await host.advance();
    expect(host.output).toEqual([1, 2, "over"]);
  });

  test("RUN7 a signal that is none is rejected where it is given", async () => {
    const host = await finished((ctx) => ctx.sleep(1, { signal: {} as AbortSignal }));
    expect(host.header.error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("ctx.sleep.signal"),
    });
  });

  test("CAN1 WAIT11 a cancel of a run with a race and a signal leaves nothing open", async () => {
    const host: MemoryHost = await started((ctx) =>
      ctx.race({ a: ctx.waitForSignal("a", { signal: ctx.signal }), b: ctx.sleep("1h") }),
    );
    host.cancel();
    await host.advance();
    expect(host.header).toMatchObject({ status: "cancelled", waits: [], races: undefined });
  });
});
