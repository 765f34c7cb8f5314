/** An operator ends a run at once (CAN8). */
import type { LeftOver } from "@holdfast/protocol";
import { describeLeftOver, describeRun, readInput, summarizeRun } from "@holdfast/orchestrator";
import { workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { eventLoopTurn, outcomeOf, started, workflowOf } from "./run-workflow.ts";

const never = (): Promise<never> => new Promise(() => {});

/** The parts of a record that a termination sets. */
function remainsOf(host: MemoryHost): object {
  const { status, error, undone, inFlight } = summarizeRun(host.header);
  return { status, code: error?.code, message: error?.message, undone, inFlight };
}

function recordOf(host: MemoryHost): ReturnType<typeof describeRun> {
  const { header, journal } = host;
  return describeRun(header, readInput(host.host.state, header), journal, host.host.stepsInProgress(), () => 0);
}

function leftOverOf(host: MemoryHost): LeftOver | undefined {
  return describeLeftOver(host.host.state);
}

/** A run whose compensations of `b` and `a` are due, and the first of them hangs. */
function hanging(): Promise<MemoryHost> {
  return started(async (ctx) => {
    await ctx.step("a", { compensate: () => {} }, () => 1);
    await ctx.step("plain", () => 2);
    await ctx.step("b", { compensate: never }, () => 3);
    await ctx.sleep("1h");
  });
}

describe("terminate", () => {
  test("CAN8 a run whose compensation hangs ends at once, and lists what is not undone and what was in flight", async () => {
    const host = await hanging();
    host.cancel("changed my mind");
    await host.settle();
    expect(recordOf(host)).toMatchObject({
      status: "running",
      phase: "compensating",
      steps: [{ name: "a" }, { name: "plain" }, { name: "b", compensation: { status: "running", attempts: 1 } }],
    });
    expect(host.terminate("the hotel's API hangs")).toEqual({ type: "done" });
    expect(remainsOf(host)).toEqual({
      status: "cancelled",
      code: "TERMINATED",
      message: "The run was terminated: the hotel's API hangs",
      undone: [
        { name: "a", occurrence: 0 },
        { name: "b", occurrence: 0 },
      ],
      inFlight: [{ kind: "compensation", name: "b", occurrence: 0 }],
    });
    const journal = host.journal.length;
    await host.advance();
    expect([host.journal.length, host.starts.length, host.store.alarm]).toEqual([journal, 1, null]);
    expect(host.terminate("again")).toMatchObject({ code: "run_terminal" });
  });

  test("CAN8 a compensation that has succeeded is not listed, and one that has failed finally is", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("hangs", { compensate: never }, () => 1);
      await ctx.step("fails", { retry: { max: 1 }, compensate: () => Promise.reject(new Error("no")) }, () => 1);
      await ctx.step("succeeds", { compensate: () => {} }, () => 1);
      await ctx.sleep("1h");
    });
    host.cancel();
    await host.settle();
    host.terminate("enough");
    expect(summarizeRun(host.header).undone).toEqual([
      { name: "hangs", occurrence: 0 },
      { name: "fails", occurrence: 0 },
    ]);
  });

  test("CAN8 the live execution is aborted, and its later reports are rejected", async () => {
    const aborted: unknown[] = [];
    let end: (value: string) => void = () => {};
    const host = await started(async (ctx) => {
      try {
        await ctx.step("slow", ({ signal }) => {
          signal.addEventListener("abort", () => aborted.push("body"));
          return new Promise<string>((resolve) => (end = resolve));
        });
      } finally {
        aborted.push("finally");
        await ctx.step("after", () => aborted.push("a step after the end")).catch(() => {});
      }
    });
    host.terminate("now");
    end("too late");
    await host.settle();
    expect(aborted).toEqual(["body", "finally"]);
    expect(remainsOf(host)).toMatchObject({ undone: [], inFlight: [{ kind: "step", name: "slow" }] });
    expect(host.journal).toEqual([]);
  });

  test.each([
    ["pending", { trigger: { delayMs: 1_000 } }, () => {}],
    ["waiting", {}, () => {}],
    ["paused by an operator", {}, (host: MemoryHost) => host.operate("pause")],
    ["in an object that lost its memory", {}, (host: MemoryHost) => host.crash()],
    ["due to start in this moment", { trigger: { delayMs: 1_000 } }, (host: MemoryHost) => host.clock.jump(1_000)],
  ] as const)("CAN8 a run that is %s ends without an execution", async (_state, options, prepare) => {
    const bodies: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.sleep("1h");
      await ctx.step("body", () => bodies.push("executed"));
    }, options);
    prepare(host);
    const { length } = host.starts;
    host.terminate("not needed");
    await host.advance();
    expect([host.header.status, host.header.error?.code, host.starts.length, bodies]).toEqual([
      "cancelled",
      "TERMINATED",
      length,
      [],
    ]);
  });

  test("CAN8 a run that the engine paused can be terminated", async () => {
    const host = await started((ctx) => ctx.sleep("1h"), { protocol: 99 });
    expect(host.header.paused?.by).toBe("engine");
    host.terminate("its code is lost");
    expect(outcomeOf(host)).toMatchObject({ status: "cancelled" });
  });

  test("CAN8 a crash after the commit changes nothing: the run has ended, and its messages are sent", async () => {
    const parent = workflow({ id: "parent", run: (_input, ctx) => ctx.invoke({ id: "child" }, undefined) });
    const child = workflow({ id: "child", run: (_input, ctx) => ctx.sleep("1h") });
    const index = new Map();
    const host = new MemoryHost({ workflows: [parent, child], index });
    host.trigger("parent");
    await host.settle();
    const { afterCommit } = host.store;
    host.store.afterCommit = (batch) => {
      afterCommit(batch);
      host.store.afterCommit = afterCommit;
      host.crash();
    };
    host.terminate("stop all of it");
    await host.advance();
    const [, invoked] = [...host.world.values()];
    expect(invoked?.header).toMatchObject({ status: "cancelled", error: { code: "CANCELLED" } });
    expect(index.get(host.runId)).toMatchObject({ status: "cancelled", error: { code: "TERMINATED" } });
    expect([host.header.outbox.count, host.store.alarm]).toEqual([0, null]);
  });

  test("CAN8 the parent of a terminated child catches a ChildRunError with the code and the reason", async () => {
    const child = workflow({ id: "child", run: (_input, ctx) => ctx.sleep("1h") });
    const parent = workflowOf((ctx) => ctx.invoke(child, undefined).catch((error: Error) => [error, error.cause]));
    const host = new MemoryHost({ workflows: [parent, child] });
    host.trigger("w");
    await host.settle();
    const [, invoked] = [...host.world.values()];
    invoked?.terminate("the child is stuck");
    await host.advance();
    expect(host.output).toMatchObject([
      { code: "CHILD_RUN_FAILED" },
      { code: "TERMINATED", data: { reason: "the child is stuck" } },
    ]);
  });

  test("CAN8 a once step that was in flight in a lost process is listed as in flight", async () => {
    const host = await started((ctx) => ctx.step("pay", { once: true }, never));
    host.crash();
    host.terminate("stuck");
    expect(remainsOf(host)).toMatchObject({ inFlight: [{ kind: "step", name: "pay" }] });
  });
});

describe("compensations that hang", () => {
  test("COMP1 an attempt of a compensation ends with TIMEOUT after five minutes, and is retried by policy", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", { retry: { max: 2, backoff: "fixed", initial: "1s" }, compensate: never }, () => 1);
      throw new Error("failed");
    });
    const before = host.clock.now();
    await host.advance();
    expect(host.header).toMatchObject({ status: "compensation_failed", error: { message: "failed" } });
    expect(host.header.uncompensated).toMatchObject([{ op: "step/0/a", error: { code: "TIMEOUT" } }]);
    expect((host.clock.now() - before) / 1_000).toBeCloseTo(601, 0);
    expect(await host.replayCold()).toEqual([]);
  });

  test("COMP1 the time-out of the step applies to its compensation, also if it is longer", async () => {
    let end: () => void = () => {};
    const host = await started(async (ctx) => {
      await ctx.step(
        "a",
        { timeout: "10m", compensate: () => new Promise<void>((resolve) => (end = resolve)) },
        () => 1,
      );
      throw new Error("failed");
    });
    await host.advance(599_000);
    end();
    await host.advance();
    expect(host.header.status).toBe("compensated");
  });
});

describe("pause", () => {
  test("CAN4 a run that an operator pauses during a replay stays paused by the operator", async () => {
    let release: () => void = () => {};
    let replays = 0;
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("go");
      replays += 1;
      if (replays === 2) await new Promise<void>((resolve) => (release = resolve));
      await ctx.step("a", () => 1);
      await ctx.waitForSignal("end");
    });
    host.deliver("signal", "go");
    await host.settle();
    host.crash();
    host.deliver("signal", "end");
    await host.settle();
    host.operate("pause");
    await host.advance(3_600_000);
    expect(host.header).toMatchObject({ status: "paused", paused: { by: "operator" } });
    expect(host.header.error).toBeUndefined();
    host.operate("unpause");
    await host.settle();
    release();
    await host.advance();
    expect(host.header.status).toBe("completed");
  });

  test("REP5 a replay that diverges while an operator has paused the run is reported after the pause", async () => {
    const host = await started((ctx) => ctx.waitForSignal("go"), { faults: { remote: () => true } });
    const { epoch } = host.header;
    host.operate("pause");
    const error = { name: "Error", message: "changed", code: "NON_DETERMINISM" };
    host.host.handle({ type: "report", report: { epoch, asked: 1, events: [{ type: "run.diverged", error }] } });
    expect(host.header).toMatchObject({ status: "paused", paused: { by: "operator" } });
    host.operate("unpause");
    host.deliver("signal", "go", "late");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "late" });
  });
});

describe("left over", () => {
  test("WAIT12 deliveries that were buffered before the end are listed in the record, and others are refused", async () => {
    const host = await started(async (ctx) => {
      await ctx.step("a", { compensate: () => eventLoopTurn() }, () => 1);
      await ctx.waitForSignal("go");
      await ctx.waitForToken({ tokenId: "t" }).wait();
    });
    host.deliver("signal", "go");
    await host.settle();
    host.deliver("signal", "other", 1, "d1");
    host.deliver("event", "news", 2);
    host.operate("pause");
    expect(host.resolveToken("t", "answer")).toMatchObject({ delivery: "buffered" });
    expect(leftOverOf(host)).toBeUndefined();
    host.cancel();
    for (const refused of [host.deliver("signal", "other", 3), host.deliver("event", "news", 3)])
      expect(refused).toMatchObject({ code: "run_unwinding" });
    expect(host.deliver("signal", "other", 1, "d1")).toMatchObject({ delivery: "duplicate" });
    await host.advance();
    expect(host.header.status).toBe("cancelled");
    expect(leftOverOf(host)).toMatchObject({
      count: 3,
      deliveries: [
        { kind: "signal", name: "other", deliveryId: "d1" },
        { kind: "event", name: "news" },
        { kind: "token", name: "t" },
      ],
    });
    host.crash();
    expect(leftOverOf(host)?.count).toBe(3);
  });

  test("WAIT12 the list of left over deliveries is bounded, and its count is not", async () => {
    const host = await started((ctx) => ctx.sleep("1h"));
    for (let n = 0; n < 150; n++) host.deliver("signal", "s", n);
    host.cancel();
    await host.settle();
    expect(leftOverOf(host)?.count).toBe(150);
    expect(leftOverOf(host)?.deliveries).toHaveLength(100);
  });

  test("WAIT7 a token that timed out while the run was paused is refused", async () => {
    const host = await started((ctx) => ctx.waitForToken({ tokenId: "t", timeout: "10s" }).wait());
    host.operate("pause");
    await host.advance(9_999);
    host.clock.jump(1);
    expect(host.resolveToken("t", "late")).toMatchObject({
      code: "already_resolved",
      message: expect.stringContaining("timed out"),
    });
    host.operate("unpause");
    await host.advance();
    expect(host.output).toBeNull();
  });
});
