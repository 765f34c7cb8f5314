import { describe, expect, test } from "vitest";
import { factsOfHeader, whyOf } from "@holdfast/orchestrator";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, outcomeOf, started, workflowOf } from "./run-workflow.ts";

describe("pause", () => {
  test("CAN4 a paused run starts no operation, and records the outcome of a step in flight", async () => {
    let end: (value: string) => void = () => {};
    const ran: string[] = [];
    const host = await started(async (ctx) => {
      const a = await ctx.step("a", () => new Promise<string>((resolve) => (end = resolve)));
      return [a, await ctx.step("b", () => (ran.push("b"), "b"))];
    });
    expect(host.operate("pause")).toEqual({ type: "done" });
    end("in flight");
    await host.settle();
    expect(host.journal).toMatchObject([{ type: "step.completed", op: "step/0/a" }]);
    expect([host.header.status, ran, host.store.alarm]).toEqual(["paused", [], null]);
    host.operate("unpause");
    await host.settle();
    expect(host.output).toEqual(["in flight", "b"]);
  });

  test("CAN4 a paused run that lost its process continues from its journal when it is unpaused", async () => {
    const host = await started(async (ctx) => [
      await ctx.step("a", () => 1),
      await ctx.sleep("1h"),
      await ctx.step("b", () => 2),
    ]);
    host.operate("pause");
    host.crash();
    await host.advance(7_200_000);
    expect(host.header.status).toBe("paused");
    host.operate("unpause");
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed" });
  });

  test("CAN6 unpause applies the deliveries and timers of the pause in the order of their times", async () => {
    const host = await started((ctx) =>
      Promise.all([
        ctx.waitForSignal("early", { timeout: "10s" }),
        ctx.waitForSignal("late", { timeout: "10s" }),
        ctx.waitForToken({ tokenId: "t", timeout: "10s" }).wait(),
        ctx.sleep("5s").then(() => ctx.now().getTime()),
      ]),
    );
    host.operate("pause");
    await host.advance(7_000);
    expect(host.deliver("signal", "early", "in time")).toMatchObject({ delivery: "buffered" });
    expect(host.resolveToken("t", "answer")).toMatchObject({ delivery: "buffered" });
    expect(host.resolveToken("t", "again")).toMatchObject({ code: "already_resolved" });
    await host.advance(7_000);
    expect(host.deliver("signal", "late", "too late")).toMatchObject({ delivery: "buffered" });
    host.crash();
    host.operate("unpause");
    await host.advance();
    expect((host.output as unknown[]).slice(0, 3)).toEqual(["in time", null, "answer"]);
    expect(
      host.journal
        .filter((entry) => entry.type.startsWith("wait.") && entry.type !== "wait.opened")
        .map((entry) => entry.op),
    ).toEqual(["sleep/0/sleep", "signal/0/early", "token/0/token", "signal/0/late"]);
  });

  test("CAN6 the time budget does not run while a run is paused", async () => {
    const host = await started((ctx) => ctx.sleep("30s").then(() => "done"), { trigger: { timeoutMs: 60_000 } });
    host.operate("pause");
    await host.advance(3_600_000);
    host.operate("unpause");
    await host.advance();
    expect(host.output).toBe("done");
  });

  test("CAN6 a paused run can be cancelled", async () => {
    const host = await started((ctx) => ctx.sleep("1h"));
    host.operate("pause");
    host.cancel();
    await host.settle();
    expect(host.header.status).toBe("cancelled");
  });

  test("CAN6 a cancel of a paused run compensates its completed steps", async () => {
    const log: string[] = [];
    const host = await started(async (ctx) => {
      await ctx.step("a", { compensate: () => void log.push("undo") }, () => 1);
      await ctx.sleep("1h");
    });
    host.operate("pause");
    host.crash();
    host.cancel();
    await host.settle();
    expect([host.header.status, log]).toEqual(["cancelled", ["undo"]]);
  });

  test("CAN4 operations that do not apply are rejected and change no row", async () => {
    const host = await started((ctx) => ctx.sleep("1h"), { trigger: { delayMs: 10 } });
    for (const [operation, code] of [
      ["unpause", "not_applicable"],
      ["retry", "not_applicable"],
    ] as const) {
      expect(host.operate(operation)).toMatchObject({ type: "refused", code });
    }
    host.operate("pause");
    expect(host.operate("pause")).toMatchObject({ type: "refused", code: "not_applicable" });
    expect(host.operate("retry")).toMatchObject({ type: "refused", code: "not_applicable" });
    expect(host.operate("delete")).toMatchObject({ type: "refused", code: "run_not_ended" });
    host.operate("unpause");
    expect(host.header.status).toBe("pending");
    await host.advance();
    for (const operation of ["pause", "unpause", "retry"] as const)
      expect(host.operate(operation)).toMatchObject({ code: "run_terminal" });
    expect(host.operate("delete")).toEqual({ type: "done" });
  });
});

describe("retry", () => {
  test("CAN5 a run that was paused by changed code continues from its journal after the code is fixed and the run is retried", async () => {
    const bodies: string[] = [];
    const good = workflowOf(async (ctx) => [await ctx.step("a", () => bodies.push("a")), await ctx.waitForSignal("s")]);
    const bad = workflowOf(async (ctx) => [
      await ctx.step("renamed", () => bodies.push("x")),
      await ctx.waitForSignal("s"),
    ]);
    const first = new MemoryHost({ workflows: [good] });
    first.trigger("w");
    await first.settle();
    const shared = { store: first.store, clock: first.clock };
    const second = new MemoryHost({ ...shared, workflows: [bad] });
    second.deliver("signal", "s", "kept");
    await second.settle();
    expect(second.header).toMatchObject({ status: "paused", error: { code: "NON_DETERMINISM" } });
    const [reason] = whyOf(factsOfHeader(second.header), { tokenIds: true, stacks: false, failures: true }, 1);
    expect(reason?.text).toMatch(/then retry the run\.$/);
    const third = new MemoryHost({ ...shared, workflows: [good] });
    expect(third.operate("unpause")).toMatchObject({
      code: "not_applicable",
      message: expect.stringContaining("NON_DETERMINISM"),
    });
    expect(third.operate("retry")).toEqual({ type: "done" });
    await third.settle();
    expect(outcomeOf(third)).toMatchObject({ status: "completed", output: [1, "kept"], error: undefined });
    expect(bodies).toEqual(["a"]);
  });

  test("CAN5 a run that was paused by repeated crashes can be retried", async () => {
    let lives = 0;
    const host = await started((ctx) => ctx.step("a", () => (++lives <= 10 ? new Promise(() => {}) : "alive")));
    while (host.header.status === "running") {
      host.crash();
      host.fireAlarm();
      await host.settle();
    }
    expect(host.header.error?.code).toBe("EXECUTOR_CRASHED");
    host.operate("retry");
    await host.settle();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "alive" });
  });

  test("VER2 an execution with another protocol version pauses the run, and the message contains both versions", async () => {
    const host = await finished(() => 1, { protocol: 99 });
    expect(host.header).toMatchObject({
      status: "paused",
      error: { code: "PROTOCOL_MISMATCH", message: expect.stringMatching(/99.*1/) },
    });
  });
});
