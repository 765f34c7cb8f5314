/** A clock that is set back by an hour, before and after a timer is set. */
import type { IndexRow } from "@holdfast/orchestrator";
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, VirtualClock } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { started, workflowOf } from "./run-workflow.ts";

const HOUR = 3_600_000;
const SECOND = 1_000;

type Body = (ctx: WorkflowContext) => unknown;

const failing = (ctx: WorkflowContext): unknown =>
  ctx.step("s", { retry: { max: 2, initial: "1s", backoff: "fixed" } }, ({ attempt }) => {
    if (attempt === 1) throw new Error("x");
    return "done";
  });

const TIMERS: [what: string, body: Body, ms: number][] = [
  ["a sleep", (ctx) => ctx.sleep("1s"), SECOND],
  ["a time-out", (ctx) => ctx.waitForSignal("s", { timeout: "1s" }), SECOND],
  ["a retry", failing, 1.2 * SECOND],
  ["two retries", (ctx) => Promise.all([failing(ctx), failing(ctx)]), 1.2 * SECOND],
];

/** Sets the clock back, and returns the time that passes until the run has ended. `act`: the next input. */
async function endAfterJump(host: MemoryHost, act: () => void): Promise<number> {
  host.clock.jump(-HOUR);
  const jumpedAt = host.clock.now();
  act();
  await host.advance();
  expect(host.header.status).toBe("completed");
  return host.clock.now() - jumpedAt;
}

describe("the clock is set back", () => {
  test.each(TIMERS)("WAIT1 %s that is set after it is on time", async (_what, body, ms) => {
    const host = await started((ctx) => ctx.waitForSignal("go").then(() => body(ctx)));
    const took = await endAfterJump(host, () => void host.deliver("signal", "go"));
    expect(took).toBeGreaterThanOrEqual(SECOND);
    expect(took).toBeLessThanOrEqual(ms);
  });

  test.each(TIMERS)("WAIT1 %s that was set before it is set again at the next input", async (_what, body, ms) => {
    const host = await started(body);
    host.clock.jump(500);
    const took = await endAfterJump(host, () => void host.host.handle({ type: "settle" }));
    expect(took).toBeGreaterThanOrEqual(500);
    expect(took).toBeLessThanOrEqual(ms);
  });

  test.each(TIMERS)(
    "WAIT1 %s that was set before it is set again in a process that starts then",
    async (_what, body, ms) => {
      const host = await started(body);
      const took = await endAfterJump(host, () => {
        host.crash();
        host.host.handle({ type: "settle" });
      });
      expect(took).toBeLessThanOrEqual(ms);
    },
  );

  test("WAIT1 a sleep until a date keeps its date", async () => {
    const clock = new VirtualClock();
    const date = clock.now() + SECOND;
    const host = await started((ctx) => ctx.sleepUntil(new Date(date)), { clock });
    await endAfterJump(host, () => void host.host.handle({ type: "settle" }));
    expect(clock.now()).toBe(date);
  });

  test("WAIT1 a sleep of two hours that is set after it lasts two hours, also after further inputs", async () => {
    const host = await started((ctx) => ctx.waitForSignal("go").then(() => ctx.sleep("2h")));
    const took = await endAfterJump(host, () => {
      host.deliver("signal", "go");
      host.deliver("signal", "other");
    });
    expect(took).toBe(2 * HOUR);
  });

  test("CAN6 WAIT4 a signal that was buffered before it ends its wait, although the time-out passes in the pause", async () => {
    const host = await started((ctx) => ctx.waitForSignal<string>("s", { timeout: "1s" }));
    host.host.handle({ type: "pause" });
    host.deliver("signal", "s", "in time");
    host.clock.jump(-HOUR);
    host.host.handle({ type: "settle" });
    host.clock.jump(2 * SECOND);
    host.host.handle({ type: "unpause" });
    await host.advance();
    expect(host.output).toBe("in time");
  });

  test("DUR5 a lost execution is replaced within 60 s of the next input", async () => {
    let bodies = 0;
    const host = await started((ctx) => ctx.step("s", () => (++bodies === 1 ? new Promise(() => {}) : "done")));
    expect(
      await endAfterJump(host, () => {
        host.crash();
        host.host.handle({ type: "settle" });
      }),
    ).toBeLessThanOrEqual(60 * SECOND);
  });

  test("RUN1 an ended run keeps the end of its time budget", async () => {
    const host = await started(() => "done", { trigger: { timeoutMs: 10 * SECOND } });
    await host.advance();
    const before = host.store.dump();
    host.clock.jump(-HOUR);
    host.host.handle({ type: "settle" });
    expect(host.store.dump()).toEqual(before);
  });

  test("DUR8 a dispatch that failed before it is repeated after its own delay", async () => {
    let starts = 0;
    const unreachable = { afterReports: 0, detectedAfterMs: 1 };
    const faults = { start: () => (++starts === 1 ? unreachable : undefined) };
    const host = await started(() => "done", { faults });
    await host.advance(1);
    expect(host.header.dispatch).toMatchObject({ failures: 1 });
    expect(await endAfterJump(host, () => void host.host.handle({ type: "settle" }))).toBeLessThanOrEqual(2 * SECOND);
  });

  test("RUN6 a delayed start, and a time budget, end at most their duration after the next input", async () => {
    const host = new MemoryHost({ workflows: [workflowOf(() => "done")] });
    host.trigger("w", undefined, { delayMs: SECOND });
    expect(await endAfterJump(host, () => void host.host.handle({ type: "settle" }))).toBe(SECOND);
    const bounded = await started((ctx) => ctx.waitForSignal("never"), { trigger: { timeoutMs: 10 * SECOND } });
    bounded.clock.jump(-HOUR);
    const before = bounded.clock.now();
    bounded.host.handle({ type: "settle" });
    await bounded.advance();
    expect([bounded.header.error?.code, bounded.clock.now() - before]).toEqual(["WORKFLOW_TIMEOUT", 10 * SECOND]);
  });

  test("CHILD4 IDX2 lost messages to other runs and to the index are sent again within a minute", async () => {
    const index = new Map<string, IndexRow>();
    let lost = true;
    const child = workflow({ id: "child", run: () => "child" });
    const host = new MemoryHost({
      index,
      workflows: [workflowOf((ctx) => ctx.invoke(child, undefined, { detach: true }).then(() => "done")), child],
      faults: { message: () => (lost ? "lost" : undefined), index: () => (lost ? "lost" : undefined) },
    });
    host.trigger("w");
    await host.settle();
    expect([host.header.index?.owed === undefined, index.size]).toEqual([false, 0]);
    lost = false;
    expect(await endAfterJump(host, () => void host.host.handle({ type: "settle" }))).toBeLessThanOrEqual(60 * SECOND);
    expect(index.get("run-1")?.status).toBe("completed");
    expect(host.header.outbox.count).toBe(0);
  });

  test("CAN6 a pause during which it happens does not shorten the time budget", async () => {
    const host = await started((ctx) => ctx.sleep("5s"), { trigger: { timeoutMs: 10 * SECOND } });
    host.operate("pause");
    expect(await endAfterJump(host, () => void host.operate("unpause"))).toBeLessThanOrEqual(5 * SECOND);
  });
});
