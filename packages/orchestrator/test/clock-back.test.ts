/** tests: coordinators after the clock was set back: no timer is further away than its duration (WAIT1) */
import { encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test, vi } from "vitest";
import {
  type Append,
  type CollectAnswer,
  CoordinatorHost,
  type CoordinatorMachine,
  type SendResult,
  type Subscribe,
  type SubscriberMessage,
  readJournal,
  topicMachine,
  windowMachine,
} from "../src/index.ts";
import { Bench } from "./bench.ts";
import { GateWorld } from "./gate-world.ts";
import { HOUR, MINUTE, START, World as ScheduleWorld } from "./schedule/world.ts";

const DAY = 24 * HOUR;
const SECOND = 1_000;

/** An object with a clock, whose messages the test answers. */
class One {
  now = START;
  readonly store = new MemoryStore();
  readonly sent: object[] = [];
  answer: (message: object) => SendResult = () => ({ type: "unreachable" });
  readonly host: CoordinatorHost;

  constructor(machine: CoordinatorMachine, name: string) {
    this.store.clock = () => this.now;
    this.host = new CoordinatorHost({
      machine,
      self: { kind: machine.kind, name },
      store: this.store,
      clock: () => this.now,
      send: (_to, message, done) => {
        this.sent.push(message);
        const result = this.answer(message);
        queueMicrotask(() => done(result));
      },
      erase: () => {},
    });
  }

  /** The time until the alarm, ms. */
  get left(): number {
    return (this.store.alarm ?? Infinity) - this.now;
  }
}

describe.each([HOUR, DAY])("the clock was set back by %i ms", (ms) => {
  test("GATE5 WAIT1 the start that a rate has reserved for a holder keeps its distance", () => {
    const world = new GateWorld({ max: 5, rate: { limit: 1, perMs: SECOND, burst: 0 } });
    world.acquire("a");
    world.acquire("b");
    world.now -= ms;
    expect(world.acquire("b")).toEqual({ type: "granted", startAt: world.now + SECOND });
    expect(world.acquire("c")).toEqual({ type: "granted", startAt: world.now + 2 * SECOND });
    expect(world.command({ type: "read" })).toMatchObject({ nextStartAt: world.now + 3 * SECOND });
  });

  test("GATE5 WAIT1 it is set back again and again, also in a process that starts then", () => {
    const world = new GateWorld({ max: undefined, rate: { limit: 1, perMs: SECOND, burst: 0 } });
    world.acquire("a");
    for (let times = 1; times <= 3; times++) {
      world.now -= ms;
      world.open();
      expect(world.acquire(`b-${times}`)).toEqual({ type: "granted", startAt: world.now + times * SECOND });
    }
  });

  test("L4 WAIT1 runs that come then wait after those that came before it, and each can leave the queue", () => {
    const world = new GateWorld();
    const times = new Map<string, number>();
    const wait = (runId: string, priority = 0): void => {
      times.set(runId, world.now);
      world.acquire(runId, { place: { priority } });
      world.now += SECOND;
    };
    for (const runId of ["a", "b", "c", "d"]) wait(runId);
    world.now -= ms;
    for (const runId of ["e", "f"]) wait(runId);
    world.now -= ms;
    wait("g");
    wait("first", 60);
    expect(world.view).toBe("a | first b c d e f g");
    // The same message again finds its row.
    for (const runId of ["b", "e", "g"]) world.acquire(runId, { place: { enqueuedAt: times.get(runId)! } });
    expect(world.view).toBe("a | first b c d e f g");
    for (const runId of ["c", "f"]) world.release(runId, { enqueuedAt: times.get(runId)! });
    expect(world.view).toBe("a | first b d e g");
    // A run that came before them, and has executed, asks again.
    world.acquire("old", { again: true, place: { enqueuedAt: times.get("a")! - SECOND } });
    expect(world.view).toBe("a | first old b d e g");
    for (const runId of ["a", "first", "old", "b", "d", "e"]) world.release(runId);
    expect(world.view).toBe("g | ");
  });

  test.each(["skip", "queue"] as const)("SCH10 WAIT1 a running backfill keeps its pace (%s)", (overlap) => {
    const world = new ScheduleWorld();
    world.declare({ cron: "0 * * * *" });
    const request = { id: "b", from: START - 5 * HOUR, until: START, rate: 60, newestFirst: false, again: false };
    world.backfill({ ...request, by: "me", overlap });
    world.pass(SECOND);
    world.now -= ms;
    for (const run of world.runs.values()) run.endsAt = world.now;
    expect(world.read().backfill).toMatchObject({ total: 5 });
    world.pass(MINUTE);
    expect(world.read().backfill).toBeUndefined();
    expect(world.runs.size).toBe(5);
  });

  test("SCH6 WAIT1 a tick that waits for the run before it starts soon after its end", () => {
    const world = new ScheduleWorld();
    world.declare({ cron: "0 * * * *", overlap: "queue" });
    world.runMs = 90 * MINUTE;
    world.pass(2 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 queued"]);
    world.now -= ms;
    for (const run of world.runs.values()) run.endsAt = world.now;
    world.read();
    world.pass(2 * MINUTE);
    expect(world.outcomes()).toEqual(["60 fired", "120 fired"]);
  });

  test("SCH7 WAIT1 missed ticks that start one after the other keep their distance", () => {
    const world = new ScheduleWorld();
    world.declare({ cron: "0 * * * *", overlap: "allow", catchUp: "all" });
    world.off = true;
    world.pass(5.5 * HOUR);
    world.read();
    world.now -= ms;
    world.off = false;
    world.read();
    world.pass(10 * SECOND);
    expect(world.runs.size).toBe(5);
  });

  test("SCH11 WAIT1 the list wakes a schedule again that it has woken without effect", () => {
    const world = new ScheduleWorld();
    world.declare({ cron: "0 * * * *" });
    world.pass(30 * MINUTE);
    world.store("schedule/s").alarm = null;
    world.fate = () => "is lost";
    world.pass(HOUR);
    world.now -= ms;
    world.list({ type: "list" });
    expect((world.store("schedules/list").alarm ?? Infinity) - world.now).toBeLessThanOrEqual(Math.max(HOUR, ms));
    world.fate = () => "arrives";
    world.pass(ms);
    const outcomes = world.outcomes();
    expect(outcomes.at(-1)).toBe("60 fired");
    // The watermark of a clock that was far ahead follows it (SCH12): each hour since then fires once.
    expect(new Set(outcomes).size).toBe(outcomes.length);
    expect(outcomes).toHaveLength(ms > HOUR ? 24 : 1);
  });

  test("WIN1 WAIT1 a window starts its run at most its wait after the next read", () => {
    const one = new One(windowMachine, "w");
    const settings = { type: "debounce", waitMs: SECOND, maxWaitMs: 10 * SECOND, take: "last" } as const;
    const trigger = { runId: "r", workflowId: "w", input: encodeValue(1, ""), tags: [], environment: "e" };
    one.host.receive({ type: "collect", trigger: { ...trigger, triggeredBy: "api" }, settings });
    one.now -= ms;
    expect(one.host.command({ type: "read" })).toMatchObject({ body: { startsAt: one.now + SECOND } });
    expect(one.left).toBe(SECOND);
    const later = one.host.receive({ type: "collect", trigger: { ...trigger, triggeredBy: "api" }, settings });
    expect((later as { answer: CollectAnswer }).answer).toMatchObject({ startsAt: one.now + SECOND });
    one.now += SECOND;
    one.host.alarm();
    expect(one.sent).toMatchObject([{ type: "trigger" }]);
    // The message is sent again as soon as always.
    one.now -= ms;
    one.host.command({ type: "read" });
    expect(one.left).toBeLessThanOrEqual(MINUTE);
  });

  test("EVT5 WAIT1 a topic delivers events that come then, and sends again what was lost", async () => {
    const one = new One(topicMachine, "paid\u0002o-1");
    const run = { runId: "r", incarnation: "i", seq: 1 };
    one.host.receive({ type: "subscribe", run, since: one.now } satisfies Subscribe);
    one.now -= ms;
    const event = { id: "e", name: "paid", data: encodeValue(1, ""), receivedAt: one.now };
    one.host.receive({ type: "append", event, keepMs: DAY } satisfies Append);
    await Promise.resolve();
    expect(one.sent).toMatchObject([{ type: "topicEvent", event: { id: "e" } }]);
    one.now -= ms;
    one.host.command({ type: "read" });
    expect(one.left).toBeLessThanOrEqual(MINUTE);
    one.answer = () => ({ type: "acknowledged", answer: { type: "not_waiting" } });
    one.now += MINUTE;
    one.host.alarm();
    expect(one.sent).toHaveLength(2);
  });

  test("EVT5 EVT6 WAIT1 a run whose clock is still ahead takes the event that its topic accepts then, before or after its own clock follows", async () => {
    for (const first of ["event", "clock"] as const) {
      const bench = new Bench();
      bench.now = START;
      bench.trigger();
      const waits = [
        { op: "event/0/paid", nth: 1, topic: { key: "o-1" } },
        { op: "event/1/paid", nth: 2, topic: { key: "o-1", since: "now" } },
        { op: "event/2/paid", nth: 3, topic: { key: "o-1", since: START + HOUR } },
      ] as const;
      bench.report(...waits.map((wait) => ({ type: "wait.opened", ...wait }) as const));
      const one = new One(topicMachine, "paid\u0002o-1");
      const subscribe = (): void => {
        const { seq = 0, claim } = bench.header.topics?.[0] ?? {};
        const run = { runId: "r", incarnation: "", seq };
        one.host.receive({ type: "subscribe", run, since: claim?.since } satisfies Subscribe);
      };
      one.answer = (message) => {
        const reply = bench.host.handle({ type: "fromTopic", message: message as SubscriberMessage });
        return { type: "acknowledged", answer: reply.type === "subscriber" ? reply.answer : undefined };
      };
      one.now += 5;
      subscribe();
      one.now -= ms;
      if (first === "clock") {
        bench.now = one.now;
        bench.host.handle({ type: "settle" });
        subscribe();
      }
      for (const id of ["a", "b", "c"]) {
        one.now += 1;
        const event = { id, name: "paid", data: encodeValue(id, ""), receivedAt: one.now };
        one.host.receive({ type: "append", event, keepMs: DAY } satisfies Append);
      }
      await vi.waitFor(() => expect(bench.header.topics?.[0]?.cursor).toBe(START + 5 - ms + 1 + 3));
      const taken = readJournal(bench.host.state).filter(({ type }) => type === "wait.resolved");
      expect(taken).toMatchObject([{ op: "event/0/paid" }, { op: "event/1/paid" }]);
      // A date is a date.
      expect(bench.header.waits).toMatchObject([{ op: "event/2/paid" }]);
    }
  });

  test("EVT5 WAIT1 a subscriber that waits for events of a later date gets none before it", async () => {
    const one = new One(topicMachine, "paid\u0002o-1");
    const run = { runId: "r", incarnation: "i", seq: 1 };
    one.host.receive({ type: "subscribe", run, since: one.now + HOUR } satisfies Subscribe);
    one.now -= ms;
    const event = { id: "e", name: "paid", data: encodeValue(1, ""), receivedAt: one.now };
    one.host.receive({ type: "append", event, keepMs: DAY } satisfies Append);
    await Promise.resolve();
    expect(one.sent).toEqual([]);
  });
});

test("WAIT1 a clock that advances, or stands still, changes nothing", () => {
  const world = new GateWorld({ max: 1, rate: { limit: 1, perMs: SECOND, burst: 0 } });
  world.acquire("a");
  const before = world.store.dump();
  world.command({ type: "read" });
  world.now += DAY;
  world.command({ type: "read" });
  expect(world.store.dump()).toEqual(before);
});
