/** Runs with limits and with waits for events, after the clock was set back by an hour or a day (WAIT1). */
import { type Workflow, event, limit, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { outcomeOf, started } from "./run-workflow.ts";
import { sendEvent } from "./topic-world.ts";

const HOUR = 3_600_000;
const SECOND = 1_000;
const slow = limit("slow", { rate: { limit: 1, per: "10s" } });
const slowFirst = limit("slow", { rate: { limit: 1, per: "10s" }, onFull: "queue", max: 5 });
const paid = event<number>("order.paid", { key: "orderId" });

/** Starts runs in one world, and returns them. */
function runsOf(workflows: Workflow[], count: number): MemoryHost[] {
  const world = new Map<string, MemoryHost>();
  const hosts: MemoryHost[] = [];
  for (let nth = 0; nth < count; nth++) {
    const [first] = hosts;
    const shared = first === undefined ? {} : { clock: first.clock, coordinators: first.coordinators };
    const host = new MemoryHost({ workflows, world, runId: `r-${nth}`, ...shared });
    host.trigger("w");
    hosts.push(host);
  }
  return hosts;
}

describe.each([HOUR, 24 * HOUR])("the clock is set back by %i ms", (ms) => {
  test.each([slow, slowFirst])("GATE5 WAIT1 a start that a rate has reserved keeps its distance", async (limited) => {
    const hosts = runsOf([workflow({ id: "w", limits: [limited.hold("run")], run: () => "done" })], 3);
    for (const host of hosts) await host.settle();
    const [first, second, third] = hosts as [MemoryHost, MemoryHost, MemoryHost];
    expect(first.header.status).toBe("completed");
    first.clock.jump(-ms);
    const from = first.clock.now();
    for (const host of hosts) host.host.handle({ type: "settle" });
    await second.advance();
    expect([second.header.status, first.clock.now() - from]).toEqual(["completed", 10 * SECOND]);
    await third.advance();
    expect([third.header.status, first.clock.now() - from]).toEqual(["completed", 20 * SECOND]);
  });

  test("STEP10 WAIT1 so does the start of a step", async () => {
    const hosts = runsOf(
      [workflow({ id: "w", run: (_input, ctx) => ctx.step("s", { limit: slow }, () => "done") })],
      2,
    );
    for (const host of hosts) await host.settle();
    const [first, second] = hosts as [MemoryHost, MemoryHost];
    first.clock.jump(-ms);
    const from = first.clock.now();
    for (const host of hosts) host.host.handle({ type: "settle" });
    await second.advance();
    expect([second.header.status, first.clock.now() - from]).toEqual(["completed", 10 * SECOND]);
  });

  test("GATE5 WAIT1 a start that has passed counts no more when the run wakes", async () => {
    const naps = workflow({
      id: "w",
      limits: [slow.hold("run")],
      run: async (_input, ctx) => {
        await ctx.waitForSignal("go");
        return "done";
      },
    });
    const [first, second] = runsOf([naps], 2) as [MemoryHost, MemoryHost];
    await first.settle();
    await second.advance(10 * SECOND);
    await second.settle();
    expect(second.header.status).toBe("waiting");
    first.clock.jump(-ms);
    const from = first.clock.now();
    second.deliver("signal", "go");
    await second.advance();
    expect([second.header.status, first.clock.now() - from]).toEqual(["completed", 0]);
  });

  test.each(["run", "now"] as const)(
    "EVT5 WAIT1 an event is found by a wait of before it (since: %s)",
    async (since) => {
      const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1", since }));
      host.clock.jump(-ms);
      sendEvent(host, { id: "e", name: "order.paid", key: "o-1", data: 1 });
      await host.settle();
      expect(outcomeOf(host)).toMatchObject({ status: "completed", output: 1 });
    },
  );

  test.each(["run", "now"] as const)("EVT5 WAIT1 and by a wait that opens after it (since: %s)", async (since) => {
    const host = await started(async (ctx) => {
      await ctx.waitForSignal("go");
      return ctx.waitForEvent(paid, { key: "o-1", since });
    });
    host.clock.jump(-ms);
    host.deliver("signal", "go");
    await host.settle();
    sendEvent(host, { id: "e", name: "order.paid", key: "o-1", data: 1 });
    await host.settle();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: 1 });
  });
});
