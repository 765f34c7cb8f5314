/** tests: windows: triggers that become one run */
import { decodeValue, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import {
  type ChildTrigger,
  type CollectAnswer,
  CoordinatorHost,
  type SendResult,
  type WindowCommand,
  type WindowSettings,
  windowMachine,
} from "../src/index.ts";

const DEBOUNCE: WindowSettings = { type: "debounce", waitMs: 1_000, maxWaitMs: 2_500, take: "last" };
const BATCH: WindowSettings = { type: "batch", waitMs: 5_000, max: 3, maxBytes: 1_000 };

class World {
  now = 100_000;
  readonly store = new MemoryStore();
  readonly started: { readonly runId: string; readonly input: unknown }[] = [];
  acknowledges = true;
  sends = 0;
  host = this.open();

  open(): CoordinatorHost {
    return (this.host = new CoordinatorHost({
      machine: windowMachine,
      self: { kind: "window", name: "w" },
      store: this.store,
      clock: () => this.now,
      send: (to, message, done) => {
        this.sends += 1;
        const { trigger } = message as { trigger: ChildTrigger };
        if (this.started.every(({ runId }) => runId !== to.name))
          this.started.push({ runId: to.name, input: decodeValue(trigger.input) });
        if (this.acknowledges) queueMicrotask(() => done({ type: "acknowledged" } satisfies SendResult));
      },
      erase: () => {
        const keys = [...this.store.list("")].map(([key]) => key);
        this.store.commit({ puts: new Map(), deletes: new Set(keys), alarm: null });
      },
    }));
  }

  collect(runId: string, input: unknown, settings: WindowSettings, deliveryId?: string): CollectAnswer {
    const trigger = {
      runId,
      workflowId: "w",
      input: encodeValue(input, ""),
      tags: [],
      environment: "e",
      triggeredBy: "api",
    };
    const result = this.host.receive({
      type: "collect",
      trigger,
      settings,
      ...(deliveryId === undefined ? {} : { deliveryId }),
    });
    if (result.type !== "acknowledged") throw new Error(result.type);
    return result.answer as CollectAnswer;
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    while (this.store.alarm !== null && this.store.alarm <= end) {
      this.now = Math.max(this.now, this.store.alarm);
      this.store.takeAlarm();
      this.host.alarm();
      await Promise.resolve();
    }
    this.now = end;
  }
}

describe("debounce", () => {
  test("WIN1 triggers within the time become one run with the id of the first and the input of the last", async () => {
    const world = new World();
    expect(world.collect("a", 1, DEBOUNCE)).toEqual({ type: "collected", runId: "a", startsAt: 101_000, count: 1 });
    await world.advance(900);
    expect(world.collect("b", 2, DEBOUNCE)).toEqual({ type: "collected", runId: "a", startsAt: 101_900, count: 2 });
    await world.advance(999);
    expect(world.started).toEqual([]);
    await world.advance(1);
    expect(world.started).toEqual([{ runId: "a", input: 2 }]);
  });

  test("WIN1 with take first the input is that of the first, and maxWait bounds the time", async () => {
    const world = new World();
    const settings: WindowSettings = { ...DEBOUNCE, take: "first" };
    for (let i = 0; i < 3; i++) {
      world.collect(`r${i}`, i, settings);
      await world.advance(800);
    }
    expect(world.collect("r3", 3, settings)).toMatchObject({ runId: "r0", startsAt: 102_500, count: 4 });
    await world.advance(100);
    expect(world.started).toEqual([{ runId: "r0", input: 0 }]);
  });

  test("WIN2 a trigger at the time of the start opens another window, also if the alarm is late", () => {
    const world = new World();
    world.collect("a", 1, DEBOUNCE);
    world.now += 1_000;
    expect(world.collect("b", 2, DEBOUNCE)).toMatchObject({ runId: "b", count: 1 });
    expect(world.started).toEqual([{ runId: "a", input: 1 }]);
  });

  test("WIN3 the same delivery counts once in a window", () => {
    const world = new World();
    const first = world.collect("a", 1, DEBOUNCE, "d1");
    world.now += 500;
    expect(world.collect("b", 1, DEBOUNCE, "d1")).toEqual(first);
    expect(world.collect("c", 2, DEBOUNCE, "d2")).toMatchObject({ count: 2 });
  });

  test("WIN1 the run starts once, also if the process ends before the start is acknowledged", async () => {
    const world = new World();
    world.acknowledges = false;
    world.collect("a", 1, DEBOUNCE);
    await world.advance(1_000);
    world.open();
    world.acknowledges = true;
    await world.advance(120_000);
    expect(world.sends).toBeGreaterThan(1);
    expect(world.started).toEqual([{ runId: "a", input: 1 }]);
    expect([...world.store.list("")]).toEqual([]);
  });
});

describe("batch", () => {
  test("WIN4 a batch starts when it is full, with the inputs in the order of arrival", () => {
    const world = new World();
    for (const [i, id] of ["a", "b", "c", "d"].entries()) world.collect(id, { i, when: new Date(i) }, BATCH);
    expect(world.started).toEqual([{ runId: "a", input: [0, 1, 2].map((i) => ({ i, when: new Date(i) })) }]);
    expect(world.collect("e", 4, BATCH)).toMatchObject({ runId: "d", count: 2 });
  });

  test("WIN4 a batch starts after its time, or when the next input does not fit", async () => {
    const world = new World();
    const big = "x".repeat(600);
    world.collect("a", big, BATCH);
    expect(world.collect("b", big, BATCH)).toMatchObject({ runId: "b", count: 1 });
    expect(world.started).toEqual([{ runId: "a", input: [big] }]);
    await world.advance(5_000);
    expect(world.started).toHaveLength(2);
  });

  test("WIN4 an input that is larger than a batch is refused, and the batch is unchanged", () => {
    const world = new World();
    world.collect("a", 1, BATCH);
    expect(world.collect("b", "x".repeat(2_000), BATCH)).toEqual({ type: "too_large", maxBytes: 1_000 });
    expect(world.collect("c", 2, BATCH)).toMatchObject({ runId: "a", count: 2 });
  });

  test("WIN3 a delivery is remembered for a day, across batches", async () => {
    const world = new World();
    const first = world.collect("a", 1, BATCH, "d1");
    await world.advance(60_000);
    expect(world.collect("b", 1, BATCH, "d1")).toEqual(first);
    await world.advance(86_400_000);
    expect(world.collect("b", 1, BATCH, "d1")).toMatchObject({ runId: "b" });
  });

  test("WIN3 a window that is never idle forgets deliveries that are older than a day", async () => {
    const world = new World();
    const settings: WindowSettings = { ...BATCH, max: 4, waitMs: 3_600_000 };
    for (let minute = 0; minute < 3 * 24 * 60; minute += 10) {
      // One opens the window, and three of the next time fill it.
      world.collect(`o${minute}`, 0, settings);
      await world.advance(600_000);
      for (let i = 0; i < 3; i++) world.collect(`r${minute}-${i}`, i, settings, `d${minute}-${i}`);
    }
    const deliveries = [...world.store.list("seen/")].length;
    expect(deliveries).toBeGreaterThanOrEqual(3 * 24 * 6);
    expect(deliveries).toBeLessThan(2 * 3 * 24 * 6);
  });

  test("WIN1 a debounce that is open when the code changes to a batch starts its own run", () => {
    const world = new World();
    world.collect("a", 1, DEBOUNCE);
    expect(world.collect("b", 2, BATCH)).toMatchObject({ runId: "b", count: 1 });
    expect(world.started).toEqual([{ runId: "a", input: 1 }]);
  });
});

describe("operators", () => {
  const ask = (world: World, command: WindowCommand) => world.host.command(command);

  test("WIN6 fire starts the run now with what was collected, and closes the window", () => {
    const world = new World();
    for (const [id, input] of [
      ["a", 1],
      ["b", 2],
    ] as const)
      world.collect(id, input, BATCH);
    expect(ask(world, { type: "read" })).toMatchObject({
      type: "done",
      body: { runId: "a", state: "batched", startsAt: 105_000, count: 2 },
    });
    expect(ask(world, { type: "fire" })).toMatchObject({ body: { runId: "a", state: "fired", startsAt: 100_000 } });
    expect(world.started).toEqual([{ runId: "a", input: [1, 2] }]);
    expect(ask(world, { type: "fire" })).toMatchObject({ type: "refused", code: "not_found" });
    expect(world.collect("c", 3, BATCH)).toMatchObject({ runId: "c", count: 1 });
  });

  test("WIN6 cancel forgets the triggers and their deliveries: a repeated one opens another window", async () => {
    const world = new World();
    world.collect("a", 1, BATCH, "d1");
    expect(ask(world, { type: "cancel" })).toMatchObject({ body: { runId: "a", state: "cancelled" } });
    expect(world.collect("b", 1, BATCH, "d1")).toMatchObject({ runId: "b", count: 1 });
    await world.advance(5_000);
    expect(world.started).toEqual([{ runId: "b", input: [1] }]);
  });

  test("WIN6 a cancel at the time of the start is too late, however late the alarm is", () => {
    const world = new World();
    world.collect("a", 1, DEBOUNCE);
    world.now += 1_000;
    expect(ask(world, { type: "cancel" })).toMatchObject({ type: "refused", code: "not_found" });
    expect(world.started).toEqual([{ runId: "a", input: 1 }]);
  });

  test("WIN6 a run whose start was not acknowledged is still known to its window, after a crash too", async () => {
    const world = new World();
    world.acknowledges = false;
    world.collect("a", 1, DEBOUNCE);
    await world.advance(1_000);
    world.open();
    expect(ask(world, { type: "read", runId: "a" })).toMatchObject({ body: { runId: "a", state: "fired" } });
    world.acknowledges = true;
    await world.advance(60_000);
    expect(ask(world, { type: "read", runId: "a" })).toMatchObject({ type: "refused", code: "not_found" });
  });
});
