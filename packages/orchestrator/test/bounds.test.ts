/** tests: what callers can add to limits, windows, schedules and events has a bound */
import { HOST_LIMITS, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import {
  type CollectAnswer,
  CoordinatorHost,
  type CoordinatorMachine,
  eventMachine,
  readDeclaration,
  readFlow,
  windowMachine,
} from "../src/index.ts";
import { GateWorld } from "./gate-world.ts";
import { START, World as ScheduleWorld } from "./schedule/world.ts";

function hostOf(machine: CoordinatorMachine, now: () => number = () => START) {
  const store = new MemoryStore();
  const host = new CoordinatorHost({
    machine,
    self: { kind: machine.kind, name: "x" },
    store,
    clock: now,
    send: () => {},
    erase: () => {},
  });
  return { store, host };
}

describe("FLOW1 numbers of a declaration", () => {
  const { limitMax, limitQueued, limitRate, batchInputs, batchBytes, scheduleTicks } = HOST_LIMITS;
  const LIMIT = { name: "l", max: 1, hold: () => ({}) as never };
  const rate = (more: object): object => ({ limits: [{ name: "l", rate: { limit: 1, per: 1, ...more } }] });
  test.each([
    ["limits[0].max", (max: number) => ({ limits: [{ ...LIMIT, max }] }), limitMax],
    ["limits[0].maxQueued", (maxQueued: number) => ({ limits: [{ ...LIMIT, maxQueued }] }), limitQueued],
    ["limits[0].rate.limit", (limit: number) => rate({ limit }), limitRate],
    ["limits[0].rate.burst", (burst: number) => rate({ burst }), limitRate],
    ["batch.max", (max: number) => ({ batch: { max, wait: 1 } }), batchInputs],
    ["batch.maxBytes", (maxBytes: number) => ({ batch: { max: 1, wait: 1, maxBytes } }), batchBytes],
  ])("%s has a bound, which the error names", (field, flow, most) => {
    const read = (value: number): unknown => readFlow({ id: "w", flow: flow(value) });
    expect(read(most)).toBeDefined();
    for (const more of [most + 1, Number.MAX_SAFE_INTEGER])
      expect(() => read(more)).toThrow(`workflow("w").${field}: must be at most ${most}.`);
    for (const odd of [Infinity, Number.NaN, 1e300, -1, 0.5]) expect(() => read(odd)).toThrow("must be a whole number");
  });

  test("SCH8 pauseAfter has one, too", () => {
    const read = (pauseAfter: number): unknown =>
      readDeclaration({ id: "s", workflow: "w", every: "1m", onFailures: { pauseAfter } }, "schedule");
    expect(read(scheduleTicks)).toBeDefined();
    for (const more of [scheduleTicks + 1, 1e300]) expect(() => read(more)).toThrow(`from 1 to ${scheduleTicks}`);
  });
});

test("GATE3 a queue without maxQueued has a bound", () => {
  const world = new GateWorld();
  world.acquire("a");
  world.acquire("b");
  const header = { ...(world.store.get("header") as object), queued: HOST_LIMITS.limitQueued };
  world.store.commit({ puts: new Map([["header", header]]), deletes: new Set() });
  world.open();
  expect(world.acquire("c")).toEqual({ type: "dropped", reason: "queue_full" });
  // A run that has executed waits in any case.
  expect(world.acquire("d", { again: true })).toMatchObject({ type: "queued" });
});

test("WIN3 a window stores a bounded number of delivery ids, and takes more when the old ones are forgotten", () => {
  let now = START;
  const { store, host } = hostOf(windowMachine, () => now);
  const settings = { type: "batch", waitMs: 60_000, max: 10_000, maxBytes: 1_000_000 } as const;
  const trigger = { workflowId: "w", input: encodeValue(1, ""), tags: [], environment: "e", triggeredBy: "api" };
  const collect = (deliveryId?: string): CollectAnswer => {
    const result = host.receive({ type: "collect", trigger: { ...trigger, runId: "r" }, settings, deliveryId });
    return (result as { answer: CollectAnswer }).answer;
  };
  for (let n = 0; n < 30; n++) collect(`k-${n}`);
  expect(store.get("header")).toMatchObject({ seen: 30 });
  const header = { ...(store.get("header") as object), seen: HOST_LIMITS.windowDeliveryIds };
  store.commit({ puts: new Map([["header", header]]), deletes: new Set() });
  host.forget();
  expect(collect("more")).toEqual({ type: "full", max: HOST_LIMITS.windowDeliveryIds });
  // A known id gets its answer, and a trigger without one is collected.
  expect(collect("k-1")).toMatchObject({ type: "collected", count: 2 });
  expect(collect()).toMatchObject({ type: "collected" });
  now += HOST_LIMITS.deliveryMemoryMs;
  expect(collect("more")).toMatchObject({ type: "collected" });
});

test("EVT11 replays add no target beyond the bound, and the refusal says so", () => {
  const { host } = hostOf(eventMachine);
  const event = { id: "e", name: "n", data: encodeValue(1, ""), key: "k" };
  const run = (runId: string) => ({ trigger: "t", workflowId: "w", workflowVersion: undefined, runId, input: "-1" });
  const decision = (...ids: string[]) => ({ runs: ids.map(run), topic: undefined, unmatched: [] });
  const send = (command: object) => host.command(command);
  send({ type: "accept", event, decision: decision("r"), origin: { by: "me", environment: "e" } });
  const replay = (ids: string[], more: object = {}) =>
    send({ type: "replay", mode: "force", decision: decision(...ids), waits: false, by: "me", ...more });
  let count = 1;
  for (let n = 1; count < HOST_LIMITS.eventTargets; n++, count += 3) replay([`a-${n}`, `b-${n}`, `c-${n}`]);
  expect(count).toBe(HOST_LIMITS.eventTargets);
  const refused = { type: "refused", code: "not_applicable", message: expect.stringContaining("the limit is 1000") };
  expect(replay(["more"])).toMatchObject(refused);
  expect(replay([], { waits: true })).toMatchObject(refused);
  // A replay of many events continues with the others.
  for (const brief of ["dry", "done"])
    expect(replay(["more"], { brief })).toMatchObject({ type: "done", body: { starts: [], problem: refused.message } });
  // Nothing is missing: nothing is added.
  expect(replay(["a-1"], { mode: "missing" })).toMatchObject({ type: "done" });
  const { body } = send({ type: "read" }) as { body: { targets: unknown[] } };
  expect(body.targets).toHaveLength(HOST_LIMITS.eventTargets);
});

test("SCH10 a schedule is triggered by hand only while its starts are acknowledged", () => {
  const world = new ScheduleWorld();
  world.declare({ cron: "0 0 1 1 *" });
  world.reachable = false;
  world.fate = () => "is lost";
  const trigger = (n: number) => world.command({ type: "trigger", by: "me", unique: `u${n}` });
  for (let n = 0; n < HOST_LIMITS.scheduleStarts; n++) trigger(n);
  expect(trigger(-1)).toMatchObject({ refused: "not_applicable" });
});
