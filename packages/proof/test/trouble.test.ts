/** Executors, steps and neighbours that misbehave: each has an answer that helps. */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { FatalError, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { finished, outcomeOf, started, workflowOf } from "./run-workflow.ts";

const ONCE = { retry: { max: 1 } } as const;

test("DUR7 a step at which the process dies every time is given up, with the journal as it was", async () => {
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

test("DUR8 an executor that goes silent and is noticed is replaced, and the step executes again", async () => {
  let attempts = 0;
  const host = new MemoryHost({
    workflows: [workflowOf((ctx) => ctx.step("a", () => ++attempts))],
    faults: { start: () => (attempts === 0 ? { afterReports: 0, noticedAfterMs: 20_000 } : undefined) },
  });
  host.trigger("w");
  await host.advance();
  expect(outcomeOf(host)).toMatchObject({ status: "completed", output: 2 });
});

test("STEP4 CAN1 a body that never settles ends with its time-out, or with a cancel", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const timed = await finished((ctx) => ctx.step("never", { timeout: "1m", ...ONCE }, never));
  expect(timed.header).toMatchObject({ status: "failed", error: { code: "TIMEOUT" } });
  const cancelled = await started((ctx) => ctx.step("never", never));
  cancelled.cancel();
  expect(cancelled.header.status).toBe("cancelled");
});

test.each([
  ["a function", () => (): number => 1, "UNSERIALIZABLE"],
  ["a string of 20 MB", () => "x".repeat(20_000_000), "TOO_LARGE"],
  ["a symbol deep inside", () => ({ a: [Symbol("s")] }), "UNSERIALIZABLE"],
  ["an instance of a class", () => new (class Order {})(), "UNSERIALIZABLE"],
])("STEP5 a step that returns %s fails with a code and says what to do", async (_what, body, code) => {
  const { header } = await finished((ctx) => ctx.step("bad", body));
  expect(header).toMatchObject({ status: "failed", error: { code } });
  expect(header.error?.message).toMatch(/step "bad"/);
});

test("STEP5 a cyclic object comes back cyclic", async () => {
  const host = await finished(async (ctx) => {
    const value = await ctx.step("cycle", () => {
      const self: { self?: unknown } = {};
      self.self = self;
      return self;
    });
    return value.self === value;
  });
  expect(host.output).toBe(true);
});

test("STEP3 a body that throws a string, undefined or a proxy that throws is an error with a message", async () => {
  const hostile = new Proxy(new Error("trap"), {
    get() {
      throw new Error("caught in a trap");
    },
  });
  for (const thrown of ["text", undefined, null, 7, hostile]) {
    const { header } = await finished((ctx) => ctx.step("throws", ONCE, () => Promise.reject(thrown)));
    expect(header.status).toBe("failed");
    expect(header.error?.message.length).toBeGreaterThan(0);
  }
});

test("COMP3 a compensation that fails for good leaves a list of what is not undone", async () => {
  const { header } = await finished(async (ctx) => {
    await ctx.step("a", { compensate: () => Promise.reject(new FatalError("locked")) }, () => 1);
    throw new Error("undo");
  });
  expect(header).toMatchObject({
    status: "compensation_failed",
    uncompensated: [{ op: "step/0/a", error: { message: "locked" } }],
  });
});

test("CHILD3 RUN6 a child that never ends is cancelled when its parent's time is over", async () => {
  const child = workflow({ id: "endless", run: (_input, ctx) => ctx.waitForSignal("never") });
  const host = new MemoryHost({ workflows: [workflowOf((ctx) => ctx.invoke(child, null)), child] });
  host.trigger("w", null, { timeoutMs: 60_000 });
  await host.advance();
  expect(host.header).toMatchObject({ status: "failed", error: { code: "WORKFLOW_TIMEOUT" } });
  const [, endless] = host.world.values();
  expect(endless?.header.status).toBe("cancelled");
});

test("WAIT9 a storm of 100,000 signals fills the inbox, is refused from then on, and none that was accepted is lost", async () => {
  const host = await started(async (ctx) => {
    await ctx.waitForEvent("go");
    let taken = 0;
    for await (const _ of ctx.waitForSignal("storm", { timeout: 1 })) taken += 1;
    return taken;
  });
  let accepted = 0;
  let refused: unknown;
  for (let n = 0; n < 100_000; n++) {
    const reply = host.deliver("signal", "storm", n);
    if (reply.type === "delivered") accepted += 1;
    else refused = reply;
  }
  expect(refused).toMatchObject({ code: "inbox_full" });
  expect(accepted).toBe(DEFAULT_LIMITS.inboxDeliveries);
  // One wait takes what is kept; then there is room for the event that lets the run go on.
  expect(host.deliver("event", "go")).toMatchObject({ type: "delivered", delivery: "resolved" });
  await host.advance();
  expect(host.output).toBe(accepted);
});

test("LIM1 a loop that appends to metadata ends with the limit's code", async () => {
  const { header } = await finished(async (ctx) => {
    for (let i = 0; ; i++) {
      ctx.metadata.append("log", `${i}`.padStart(1_000));
      await ctx.step("work", () => i);
    }
  });
  expect(header).toMatchObject({ status: "failed", error: { code: "LIMIT_EXCEEDED" } });
});

test(
  "LIM1 STR1 a stream that does not end is ended at its limit of a million chunks",
  { timeout: 120_000 },
  async () => {
    const { header } = await finished((ctx) =>
      ctx.stream.json("endless", function* () {
        for (let n = 0; ; n++) yield n;
      }),
    );
    expect(header).toMatchObject({ status: "failed", error: { code: "LIMIT_EXCEEDED" } });
  },
);
