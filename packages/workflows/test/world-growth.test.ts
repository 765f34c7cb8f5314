/** tests: what a world in memory does for each run, counted: it must not grow with the number of runs */
import { event, schedule, workflow } from "@holdfast/workflows";
import { MemoryCoordinator, MemoryHost, MemoryStore, VirtualClock, testWorld } from "@holdfast/workflows/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { webPlatform } from "../src/replay/platform.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts turns of the event loop, commits, rows that were listed, and looks at objects that may have something to do. */
function countAll(): () => number {
  let listed = 0;
  // oxlint-disable-next-line typescript/unbound-method -- called with the store that it belongs to
  const { list } = MemoryStore.prototype;
  vi.spyOn(MemoryStore.prototype, "list").mockImplementation(function* (this: MemoryStore, ...args) {
    for (const row of list.apply(this, args)) {
      listed += 1;
      yield row;
    }
  });
  const spies = [
    vi.spyOn(webPlatform, "turn"),
    vi.spyOn(MemoryStore.prototype, "commit"),
    vi.spyOn(MemoryStore.prototype, "alarm", "get"),
    vi.spyOn(MemoryStore.prototype, "losable", "get"),
    vi.spyOn(MemoryHost.prototype, "doing", "get"),
    vi.spyOn(MemoryHost.prototype, "fireAlarm"),
    vi.spyOn(MemoryCoordinator.prototype, "fireAlarm"),
  ];
  return () => listed + spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

const LEAST = 100;

describe("the growth of a world", () => {
  test("SCH1 the work for a tick is the same for the first and the thousandth one, also while all earlier runs wait", async () => {
    const count = countAll();
    for (const body of [
      async () => 1,
      (_input: unknown, ctx: { sleep: (time: string) => Promise<void> }) => ctx.sleep("52w"),
    ]) {
      const ticked = workflow({ id: "ticked", run: body as () => Promise<unknown> });
      const hourly = schedule({ id: "hourly", cron: "0 * * * *", overlap: "allow", workflow: ticked });
      const world = testWorld({ workflows: [ticked], schedules: [hourly] });
      await world.advance("10h");
      const work: number[] = [];
      for (const _part of ["first", "second", "third", "last"]) {
        const before = count();
        await world.advance(`${LEAST}h`);
        work.push((count() - before) / LEAST);
      }
      expect(world.runs()).toHaveLength(10 + 4 * LEAST);
      console.log(`operations for a tick: ${work.map((one) => one.toFixed(1)).join(", ")}`);
      expect(Math.max(...work)).toBeLessThan(120);
      expect(Math.max(...work) / Math.min(...work)).toBeLessThan(1.05);
    }
  });

  test("EVT5 the work for an event is the same however many runs wait for other keys", async () => {
    const count = countAll();
    const paid = event<{ id: string }>("paid", { key: ({ id }) => id });
    const waits = workflow({ id: "waits", run: (id: string, ctx) => ctx.waitForEvent(paid, { key: id }) });
    const world = testWorld({ workflows: [waits] });
    const work: number[] = [];
    for (let n = 0; n < 300; n++) {
      await world.start(waits, `k${n}`);
      if (n % 100 !== 99) continue;
      const before = count();
      await world.sendEvent(paid, { id: `k${n}` });
      work.push(count() - before);
    }
    expect(world.results(waits).filter(({ status }) => status === "completed")).toHaveLength(3);
    console.log(`operations for an event: ${work.join(", ")}`);
    expect(Math.max(...work)).toBeLessThan(Math.min(...work) + 5);
  });
});

describe("VirtualClock", () => {
  test("timers fire in the order of their times, then of their creation, also if the clock was set back", () => {
    const clock = new VirtualClock(0);
    const fired: number[] = [];
    const delays = Array.from({ length: 200 }, (_one, n) => (n * 7919) % 50);
    const timers = delays.map((ms, n) => clock.setTimer(ms, () => fired.push(n)));
    for (const [n, cancel] of timers.entries()) if (n % 3 === 0) cancel();
    clock.jump(-1_000);
    expect(clock.nextAt).toBe(-1_000);
    while (clock.runNext());
    const expected = delays.map((ms, n) => ({ ms, n })).filter(({ n }) => n % 3 !== 0);
    expect(fired).toEqual(expected.toSorted((a, b) => a.ms - b.ms).map(({ n }) => n));
  });
});
