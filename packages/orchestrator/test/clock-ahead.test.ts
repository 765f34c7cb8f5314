/** tests: what coordinators stored while the clock was ahead, after it was set back: nothing lasts until the clock has caught up */
import { HOST_LIMITS, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import {
  type Append,
  CoordinatorHost,
  type CoordinatorMachine,
  eventMachine,
  topicMachine,
  windowMachine,
} from "../src/index.ts";
import { GateWorld, pass } from "./gate-world.ts";
import { readDeclaration } from "../src/schedule/declaration.ts";
import { DAY, START, World as ScheduleWorld } from "./schedule/world.ts";

const YEAR = 365 * DAY;

/** An object whose messages are acknowledged at once. */
class One {
  now = START + YEAR;
  erased = 0;
  readonly store = new MemoryStore();
  readonly host: CoordinatorHost;

  constructor(machine: CoordinatorMachine, name: string) {
    this.store.clock = () => this.now;
    this.host = new CoordinatorHost({
      machine,
      self: { kind: machine.kind, name },
      store: this.store,
      clock: () => this.now,
      send: (_to, _message, done) => done({ type: "acknowledged" }),
      erase: () => {
        this.erased += 1;
        const keys = [...this.store.list("")].map(([key]) => key);
        this.store.commit({ puts: new Map(), deletes: new Set(keys), alarm: null });
      },
    });
  }

  /** The clock is set back, and the object is used. */
  setBack(ms = YEAR): void {
    this.now -= ms;
    this.host.command({ type: "read" });
  }

  pass(ms: number): void {
    pass(this, ms);
  }
}

class Topic extends One {
  constructor() {
    super(topicMachine, "paid\u0002o-1");
  }

  append(id: string): number {
    const event = { id, name: "paid", data: "1", receivedAt: this.now };
    const result = this.host.receive({ type: "append", event, keepMs: DAY } satisfies Append);
    return (result as { answer: { n: number } }).answer.n;
  }

  subscribe(runId: string, since: number): unknown {
    const result = this.host.receive({ type: "subscribe", run: { runId, incarnation: "i", seq: 1 }, since });
    return (result as { answer: unknown }).answer;
  }

  get events(): unknown {
    const reply = this.host.command({ type: "read" });
    return reply.type === "done" ? (reply.body as { events: number }).events : reply.code;
  }
}

test("EVT4 CO4 a topic keeps an event at most its keep after the clock was set back", () => {
  const topic = new Topic();
  topic.append("a");
  topic.now += 1;
  topic.append("b");
  topic.setBack();
  topic.now += 1_000;
  topic.append("c");
  topic.pass(DAY - 1_001);
  expect(topic.events).toBe(3);
  topic.pass(1);
  expect(topic.events).toBe(1);
  topic.pass(1_000);
  expect(topic.events).toBe(0);
});

test("EVT4 TP1 the numbers of a topic that was ahead are higher than before, also after it was not used for long", () => {
  const topic = new Topic();
  const before = topic.append("a");
  topic.setBack();
  topic.pass(DAY + 2 * HOST_LIMITS.topicIdleMs);
  expect(topic.append("b")).toBeGreaterThan(before);
  topic.pass(DAY + YEAR + HOST_LIMITS.topicIdleMs);
  expect(topic.erased).toBe(1);
});

test.each([0, 5])("EVT5 a run that begins to wait then misses no event that was dropped before (%i ms later)", (ms) => {
  const topic = new Topic();
  for (let n = 0; n <= HOST_LIMITS.topicEvents; n++) {
    topic.append(`e-${n}`);
    topic.now += 1;
  }
  topic.now -= YEAR;
  const since = topic.now;
  topic.now += ms;
  expect(topic.subscribe("r", since)).toEqual({ type: "subscribed" });
  // Those of the time ahead are dropped one after the other.
  for (let n = 0; n < 10; n++) {
    topic.now += 1;
    topic.append(`later-${n}`);
  }
  topic.now += 1;
  expect(topic.subscribe("s", topic.now)).toEqual({ type: "subscribed" });
  expect(topic.subscribe("t", since - DAY)).toMatchObject({ type: "history_gone" });
});

test("EVT4 a run that waited before still learns that an event for it was dropped", () => {
  const topic = new Topic();
  topic.subscribe("r", topic.now);
  topic.now += 1;
  const ids = Array.from({ length: HOST_LIMITS.topicEvents }, (_, n) => `e-${n}`);
  for (const id of ids) topic.append(id);
  const sent: object[] = [];
  const store = topic.store;
  topic.setBack();
  topic.append("later");
  const host = new CoordinatorHost({
    machine: topicMachine,
    self: { kind: "topic", name: "paid\u0002o-1" },
    store,
    clock: () => topic.now,
    send: (_to, message) => sent.push(message),
    erase: () => {},
  });
  topic.now += 60_000;
  host.alarm();
  expect(sent).toMatchObject([{ type: "topicGone" }]);
});

test("EV2 an event is known for 30 days after the clock was set back, not until it has caught up", () => {
  const one = new One(eventMachine, "e");
  const decision = { runs: [], topic: undefined, unmatched: [] };
  const event = { id: "e", name: "n", data: encodeValue(1, "") };
  one.host.command({ type: "accept", event, decision, origin: { by: "me", environment: "e" } });
  one.setBack();
  one.pass(HOST_LIMITS.eventKeptMs - 1);
  expect(one.erased).toBe(0);
  one.pass(1);
  expect(one.erased).toBe(1);
});

test("WIN3 a window remembers a delivery id for a day after the clock was set back, not until it has caught up", () => {
  const one = new One(windowMachine, "w");
  const settings = { type: "batch", waitMs: 1_000, max: 3, maxBytes: 1_000 } as const;
  const trigger = { workflowId: "w", input: "-1", tags: [], environment: "e", triggeredBy: "api" };
  const collect = (runId: string): unknown => {
    const message = { type: "collect", trigger: { ...trigger, runId }, settings, deliveryId: "d" };
    return (one.host.receive(message) as { answer: { runId: string } }).answer.runId;
  };
  expect(collect("a")).toBe("a");
  one.setBack();
  one.pass(DAY - 1);
  expect(collect("b")).toBe("a");
  one.pass(1);
  expect(collect("c")).toBe("c");
});

test("GATE2 the run that replaces cancels the one that has held longest, also after the clock was set back", () => {
  const world = new GateWorld({ max: 2 });
  world.acquire("a");
  world.now += 1_000;
  world.now -= YEAR;
  world.acquire("b");
  world.acquire("c", { onFull: "replace" });
  expect(world.sent).toMatchObject([{ message: { type: "drop", hold: { runId: "a" } } }]);
  expect(world.view).toBe("a b | c");
});

test("GATE8 an operator's sync applies, also after one of the time ahead", () => {
  const world = new GateWorld();
  const sync = (above: number, max: number) =>
    world.command({ type: "sync", above, until: world.now, declared: { max }, dryRun: false });
  world.acquire("a", { settings: { rev: 2_000, max: 5 } });
  world.now += YEAR;
  sync(1_000, 1);
  world.now -= YEAR;
  sync(2_000, 7);
  expect(world.command({ type: "read" })).toMatchObject({ max: 7, rev: 2_000 });
});

test("SCH9 a schedule that is gone from the code is forgotten after 30 days, also if the clock was set back", () => {
  const world = new ScheduleWorld();
  world.now += YEAR;
  const sync = (rev: number, schedules: object[]) =>
    world.list({ type: "sync", schedules, rev, force: false, dryRun: false, environment: "e" });
  sync(1, [readDeclaration({ id: "s", workflow: "w", cron: "0 * * * *" }, "schedule")]);
  world.pass(1_000);
  sync(2, []);
  world.pass(1_000);
  expect(world.read().status).toBe("orphaned");
  world.now -= YEAR;
  world.read();
  world.pass(HOST_LIMITS.orphanMs + DAY);
  expect(world.store("schedule/s").rows.size).toBe(0);
});
