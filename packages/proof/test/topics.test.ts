import { HOST_LIMITS } from "@holdfast/protocol";
import { event, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { finished, outcomeOf, started } from "./run-workflow.ts";
import { command, eventRecord, sendEvent } from "./topic-world.ts";

const paid = event<{ cents: number }>("order.paid", { key: "orderId" });
const address = { kind: "topic" as const, name: "order.paid\u0002o-1" };
const send = (host: MemoryHost, id: string, cents: number, key = "o-1") =>
  sendEvent(host, { id, name: "order.paid", key, data: { cents } });
const topicOf = (host: MemoryHost) => command(host, address, { type: "read" });

describe("a wait for an event of a key", () => {
  test("EVT5 finds an event that comes after it", async () => {
    const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1" }));
    expect(host.header.status).toBe("waiting");
    send(host, "e-1", 100);
    await host.settle();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: { cents: 100 } });
    expect(topicOf(host)).toMatchObject({ name: "order.paid", key: "o-1", events: 1, subscribers: 0 });
    expect(host.header.outbox.count).toBe(0);
  });

  test("EVT5 finds an event that came before the wait, but not before the run", async () => {
    const before = await started((ctx) => ctx.sleep("1m"));
    send(before, "e-0", 1);
    await before.advance();
    const { world, coordinators, clock } = before;
    const waits = workflow({
      id: "w",
      run: async (_input, ctx) => {
        await ctx.sleep("1h");
        return ctx.waitForEvent(paid, { key: "o-1", timeout: "1m" });
      },
    });
    const host = new MemoryHost({ workflows: [waits], world, coordinators, clock, runId: "run-2" });
    host.trigger("w");
    await host.settle();
    send(host, "e-1", 2);
    await host.advance();
    expect(host.output).toEqual({ cents: 2 });
  });

  test("EVT5 since: a date, now, and the last events", async () => {
    const found: unknown[] = [];
    const host = await started(async (ctx) => {
      await ctx.sleep("1h");
      found.push(await ctx.waitForEvent(paid, { key: "o-1", since: "now", timeout: "1m" }));
      found.push(await ctx.waitForEvent(paid, { key: "o-2", since: { last: 2 } }));
      found.push(await ctx.waitForEvent(paid, { key: "o-2" }));
      found.push(await ctx.waitForEvent(paid, { key: "o-3", since: new Date(ctx.now().getTime() - 120_000) }));
    });
    send(host, "e-1", 1);
    for (const n of [1, 2, 3]) send(host, `f-${n}`, n, "o-2");
    send(host, "g-1", 1, "o-3");
    await host.advance(3_599_000);
    send(host, "g-2", 2, "o-3");
    await host.advance();
    expect(found).toEqual([null, { cents: 2 }, { cents: 3 }, { cents: 2 }]);
  });

  test("EVT6 an iteration sees each event once, in order, with a crash after every write", async () => {
    const crashes: number[] = [];
    const body = async (ctx: Parameters<Parameters<typeof started>[0]>[0]): Promise<number[]> => {
      const seen: number[] = [];
      for await (const { cents } of ctx.waitForEvent(paid, { key: "o-1", timeout: "1h" })) seen.push(cents);
      return seen;
    };
    const host = await started(body, {
      crashAfterCommits: "journal-writes",
      crashesCoordinator: (one) => (crashes.push(one.crashes), one.crashes < 30),
    });
    for (let n = 1; n <= 5; n++) {
      send(host, `e-${n}`, n);
      send(host, `e-${n}`, n);
      await host.advance(60_000);
    }
    await host.advance();
    expect(host.output).toEqual([1, 2, 3, 4, 5]);
    expect(host.crashes).toBeGreaterThan(10);
    expect(crashes.length).toBeGreaterThan(30);
  });

  test("EVT6 every waiting run gets the event once, and in a run one wait takes it", async () => {
    const body = workflow({
      id: "w",
      run: (_input, ctx) => Promise.all([1, 2].map(() => ctx.waitForEvent(paid, { key: "o-1", timeout: "1h" }))),
    });
    const first = new MemoryHost({ workflows: [body] });
    const { world, coordinators, clock } = first;
    const hosts = [
      first,
      ...["b", "c"].map((runId) => new MemoryHost({ workflows: [body], world, coordinators, clock, runId })),
    ];
    for (const host of hosts) host.trigger("w");
    await first.settle();
    expect(topicOf(first)).toMatchObject({ subscribers: 3 });
    send(first, "e-1", 1);
    await first.settle();
    for (const host of hosts) await host.advance();
    expect(hosts.map(({ output }) => output)).toEqual(hosts.map(() => [{ cents: 1 }, null]));
  });

  test("EVT6 an event that match refuses moves the cursor, and the inbox stays empty", async () => {
    const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1", match: { cents: 2 } }));
    for (const cents of [1, 3, 2]) send(host, `e-${cents}`, cents);
    await host.settle();
    expect(host.output).toEqual({ cents: 2 });
    expect(host.header.inbox.count).toBe(0);
  });

  test("EVT7 a time-out, a lost race, a cancel and an end unsubscribe", async () => {
    const bodies = {
      timeout: (ctx: Ctx) => ctx.waitForEvent(paid, { key: "o-1", timeout: "1s" }),
      race: (ctx: Ctx) => ctx.race({ a: ctx.waitForEvent(paid, { key: "o-1" }), b: ctx.sleep("1s") }),
      end: async (ctx: Ctx) => {
        void ctx.waitForEvent(paid, { key: "o-1" });
        await ctx.sleep("1s");
      },
    };
    for (const [name, body] of Object.entries(bodies)) {
      const host = await started(body);
      expect([name, topicOf(host)]).toMatchObject([name, { subscribers: 1 }]);
      await host.advance();
      await host.settle();
      expect([name, topicOf(host)]).toMatchObject([name, { subscribers: 0 }]);
    }
    const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1" }));
    host.cancel();
    await host.advance(120_000);
    expect([host.header.status, topicOf(host)]).toMatchObject(["cancelled", { subscribers: 0 }]);
  });

  test("EVT7 a subscriber whose run is gone is asked after seven days, and forgotten", async () => {
    const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1" }));
    expect(topicOf(host)).toMatchObject({ subscribers: 1 });
    host.store.clear();
    host.crash();
    const until = host.clock.now() + HOST_LIMITS.topicProbeMs + 1;
    while (await host.next(until));
    expect(topicOf(host)).toMatchObject({ subscribers: 0 });
  });

  test("EVT5 history that is gone rejects the wait with a code, unless it allows gaps", async () => {
    const hourly = event<{ cents: number }>("order.paid", { key: "orderId", keep: "1h" });
    const host = await started(async (ctx) => {
      await ctx.sleep("2d");
      const lost = await ctx.waitForEvent(hourly, { key: "o-1" }).catch((error) => [error.code, error.message]);
      return [lost, await ctx.waitForEvent(hourly, { key: "o-1", allowGap: true, timeout: "1s" })];
    });
    send(host, "e-1", 1);
    await host.advance();
    expect(host.output).toEqual([
      ["EVENT_HISTORY_GONE", expect.stringContaining('events "order.paid" with the key "o-1" are no longer stored')],
      null,
    ]);
  });

  test("CAN6 a paused run takes no event, and takes it after the pause", async () => {
    const host = await started((ctx) => ctx.waitForEvent(paid, { key: "o-1" }));
    host.operate("pause");
    await host.settle();
    expect(topicOf(host)).toMatchObject({ subscribers: 0 });
    send(host, "e-1", 1);
    await host.settle();
    expect(host.header.status).toBe("paused");
    host.operate("unpause");
    await host.settle();
    expect(host.output).toEqual({ cents: 1 });
  });

  test("EVT9 addressed deliveries and events of topics do not meet", async () => {
    const host = await started((ctx) =>
      Promise.all([ctx.waitForEvent("order.paid"), ctx.waitForEvent(paid, { key: "o-1" })]),
    );
    host.deliver("event", "order.paid", "addressed");
    await host.settle();
    expect(host.header.waits.map(({ op }) => op)).toEqual(["event/1/order.paid"]);
    send(host, "e-1", 1);
    await host.settle();
    expect(host.output).toEqual(["addressed", { cents: 1 }]);
  });

  test("EVT9 a wait without a key, and one in a deployment without coordinators, are refused", async () => {
    const missing = await finished((ctx) => ctx.waitForEvent(paid, {} as never));
    expect(outcomeOf(missing).error).toContain("ctx.waitForEvent.key");
  });

  test("EVT4 the archive is bounded by number, and a repeated event keeps its number", async () => {
    const host = await started((ctx) => ctx.sleep("1s"));
    for (let n = 1; n <= HOST_LIMITS.topicEvents + 5; n++) send(host, `e-${n}`, n);
    await host.settle();
    expect(topicOf(host)).toMatchObject({ events: HOST_LIMITS.topicEvents, dropped: 5 });
    const before = topicOf(host);
    const again = { id: "e-1", name: "order.paid", data: "{}", receivedAt: 1 };
    void host.coordinators.get(address).receive({ type: "append", event: again, keepMs: 1_000_000 });
    expect(topicOf(host)).toEqual(before);
    await host.advance(HOST_LIMITS.eventTargetMs * 2);
    expect(topicOf(host)).toMatchObject({ events: 0, dropped: HOST_LIMITS.topicEvents + 5 });
  });
});

describe("several waits of a run for one key", () => {
  test("EVT5 a wait that opens while another waits gets the older events that it accepts", async () => {
    const host = await started(async (ctx) => {
      await ctx.sleep("1h");
      const now = ctx.waitForEvent(paid, { key: "o-1", since: "now", timeout: "1h" });
      await ctx.sleep("1m");
      return Promise.all([now, ctx.waitForEvent(paid, { key: "o-1", timeout: "1h" })]);
    });
    send(host, "e-1", 1);
    await host.advance();
    expect(host.output).toEqual([null, { cents: 1 }]);
  });

  test("EVT5 history that is gone ends only the waits that need it, and the others still wait", async () => {
    const hourly = event<{ cents: number }>("order.paid", { key: "orderId", keep: "1h" });
    const host = await started(async (ctx) => {
      await ctx.sleep("2d");
      const options = { key: "o-1", timeout: "1h" } as const;
      return Promise.all([
        ctx.waitForEvent(hourly, { ...options, since: "now" }),
        ctx.waitForEvent(hourly, { ...options, allowGap: true }),
        ctx.waitForEvent(hourly, options).catch((error) => error.code),
        ctx.waitForEvent(hourly, { ...options, since: { last: 1 } }),
      ]);
    });
    send(host, "e-1", 1);
    const due = host.clock.now() + 2 * 86_400_000 + 60_000;
    while (await host.next(due));
    for (const cents of [2, 3, 4]) send(host, `e-${cents}`, cents);
    await host.advance();
    expect(host.output).toEqual([{ cents: 2 }, { cents: 3 }, "EVENT_HISTORY_GONE", { cents: 4 }]);
  });
});

describe("a topic that is full", () => {
  test("EVT10 loses no wait: the run asks again, says so, and gets the event when there is room", async () => {
    const host = await started((ctx) => ctx.sleep("1s"));
    send(host, "e-0", 0, "o-2");
    await host.advance(10);
    const full = host.coordinators.get({ kind: "topic", name: "order.paid\u0002o-2" });
    const setSubscribers = (subscribers: number): void => {
      full.store.commit({ puts: new Map([["header", { ...full.header, subscribers }]]), deletes: new Set() });
      full.crash();
    };
    setSubscribers(HOST_LIMITS.topicSubscribers);
    const { world, coordinators, clock } = host;
    const waits = workflow({ id: "w", run: (_input, ctx) => ctx.waitForEvent(paid, { key: "o-2" }) });
    const waiting = new MemoryHost({ workflows: [waits], world, coordinators, clock, runId: "run-2" });
    waiting.trigger("w");
    await waiting.settle();
    expect(waiting.header.topics).toMatchObject([{ open: true, full: true }]);
    expect(waiting.header.outbox.count).toBe(1);
    setSubscribers(HOST_LIMITS.topicSubscribers - 1);
    send(host, "e-1", 1, "o-2");
    await waiting.advance(120_000);
    expect(waiting.output).toEqual({ cents: 1 });
  });
});

type Ctx = Parameters<Parameters<typeof started>[0]>[0];

describe("events that runs send and that cancel runs", () => {
  test("EVT13 ctx.sendEvent sends one event however often the run crashes, and wakes the wait of another run", async () => {
    const waiter = workflow({ id: "waiter", run: (_input, ctx) => ctx.waitForEvent(paid, { key: "o-9" }) });
    const sender = workflow({
      id: "sender",
      run: async (_input, ctx) => {
        const { eventId } = await ctx.sendEvent(paid, { cents: 9, orderId: "o-9" } as { cents: number });
        await ctx.sleep("1s");
        return eventId;
      },
    });
    const first = new MemoryHost({ workflows: [waiter, sender] });
    const { world, coordinators, clock } = first;
    first.trigger("waiter");
    const host = new MemoryHost({
      workflows: [waiter, sender],
      world,
      coordinators,
      clock,
      runId: "run-2",
      crashAfterCommits: [1, 2, 3, 4, 5, 6, 7],
    });
    host.trigger("sender");
    await host.advance();
    await first.advance();
    expect(first.output).toEqual({ cents: 9, orderId: "o-9" });
    expect(eventRecord(first, String(host.output))).toMatchObject({
      name: "order.paid",
      key: "o-9",
      by: "run run-2",
      targets: [{ topic: "o-9", state: "delivered" }],
    });
    expect([...coordinators.values()].filter(({ address: { kind } }) => kind === "event")).toHaveLength(1);
  });

  test("EVT5 a key that no event can have is refused at once, by the wait and by the sending", async () => {
    const host = await started(async (ctx) => [
      await ctx.waitForEvent(paid, { key: "a\u0001b", timeout: "1h" }).catch(String),
      await ctx.sendEvent(paid, { cents: 1 }, { key: "a\u0001b" }).catch(String),
    ]);
    expect(outcomeOf(host)).toMatchObject({
      status: "completed",
      output: [
        expect.stringContaining("ctx.waitForEvent: the key must not hold control characters."),
        expect.stringContaining("ctx.sendEvent: the key must not hold control characters."),
      ],
    });
  });

  test("EVT16 a deploy with another schema changes no event that a run has sent, and no refusal that it has seen", async () => {
    let accepts = true;
    const schema = {
      "~standard": {
        version: 1,
        vendor: "tests",
        validate: () => (accepts ? { value: 1 } : { issues: [{ message: "no" }] }),
      },
    } as const;
    const known = event<number>("counted", { schema });
    const host = await started(async (ctx) => {
      await ctx.sendEvent(known, 1);
      await ctx.sleep("1s");
      return "sent";
    });
    accepts = false;
    host.crash();
    await host.advance();
    expect(outcomeOf(host)).toMatchObject({ status: "completed", output: "sent" });
    const refused = await started(async (ctx) => {
      const outcome = await ctx.sendEvent(known, 1).catch((error: unknown) => String(error));
      await ctx.sleep("1s");
      return outcome;
    });
    accepts = true;
    refused.crash();
    await refused.advance();
    expect(outcomeOf(refused)).toMatchObject({
      status: "completed",
      output: expect.stringContaining("ctx.sendEvent.data: (the whole value): no"),
    });
  });

  test("EVT14 cancelOn cancels the run whose input has the key, and no other", async () => {
    const cancelled = event<{ why: string }>("order.cancelled", { key: "orderId" });
    const config = { cancelOn: [{ event: cancelled, key: "order.id" }] };
    const host = await started((ctx) => ctx.sleep("1d"), { input: { order: { id: "o-1" } }, config });
    sendEvent(host, { id: "e-0", name: "order.cancelled", key: "o-2" });
    await host.settle();
    expect(host.header.status).toBe("waiting");
    sendEvent(host, { id: "e-1", name: "order.cancelled", key: "o-1" });
    await host.advance(1_000);
    expect(host.header).toMatchObject({ status: "cancelled", cancelReason: "the event order.cancelled e-1 was sent" });
  });
});

describe("triggers", () => {
  const started2 = workflow({
    id: "fulfil",
    on: [{ id: "large", event: paid, where: { "data.cents": { gte: 100 } }, input: { cents: "data.cents" } }],
    run: (input: { cents: number }) => input.cents,
  });
  const audit = workflow({ id: "audit", on: [{ id: "all", event: paid }], run: () => "audited" });
  const workflows = [started2, audit];

  test("EVT1 EVT3 an event starts a run for each trigger that matches, once", async () => {
    const host = new MemoryHost({ workflows });
    const answer = sendEvent(host, { id: "e-1", name: "order.paid", data: { cents: 100, orderId: "o-1" } }, workflows);
    expect(answer).toMatchObject({ eventId: "e-1", state: "accepted" });
    expect(answer.targets).toMatchObject([
      { topic: "o-1", state: "pending" },
      { trigger: "large", workflowId: "fulfil", runId: expect.stringMatching(/^evt_[0-9a-f]{40}$/), state: "pending" },
      { trigger: "all", workflowId: "audit", state: "pending" },
    ]);
    await host.settle();
    const again = sendEvent(host, { id: "e-1", name: "order.paid", data: { cents: 1 } }, workflows);
    expect(again).toEqual({ ...answer, state: "duplicate" });
    await host.settle();
    expect(eventRecord(host, "e-1").targets.map(({ state }) => state)).toEqual(["delivered", "started", "started"]);
    const run = host.world.get(answer.targets[1]?.runId ?? "");
    expect(run?.output).toBe(100);
    expect(run?.header).toMatchObject({ triggeredBy: "event", event: { id: "e-1", trigger: "large" } });
  });

  test("EVT2 the record says which trigger did not match, and why", async () => {
    const host = new MemoryHost({ workflows });
    sendEvent(host, { id: "e-1", name: "order.paid", data: { cents: 99 } }, workflows);
    expect(eventRecord(host, "e-1").unmatched).toEqual([
      { trigger: "large", workflowId: "fulfil", reason: "data.cents: gte 100 does not hold" },
    ]);
  });

  test("EVT3 a target that is refused or unreachable harms no other, and fails after a day", async () => {
    let lost = true;
    const faults = { message: () => (lost ? ("lost" as const) : undefined) };
    const host = new MemoryHost({ workflows: [audit], faults });
    sendEvent(host, { id: "e-1", name: "order.paid", data: { cents: 100 } }, workflows);
    await host.settle();
    expect(eventRecord(host, "e-1").targets.map(({ state }) => state)).toEqual(["pending", "pending"]);
    lost = false;
    while (eventRecord(host, "e-1").targets.some(({ state, code }) => state === "pending" && code === undefined))
      await host.next();
    // The version that decided has the workflow, so the object of the run may get it (EVT2).
    expect(eventRecord(host, "e-1").targets).toMatchObject([
      { trigger: "large", state: "pending", code: "WORKFLOW_NOT_FOUND" },
      { trigger: "all", state: "started" },
    ]);
    while (host.coordinators.get({ kind: "event", name: "e-1" }).header?.outbox.count !== 0) await host.next();
    expect(eventRecord(host, "e-1").targets).toMatchObject([
      { trigger: "large", state: "failed", code: "WORKFLOW_NOT_FOUND" },
      { trigger: "all", state: "started" },
    ]);
    expect(host.clock.now() - eventRecord(host, "e-1").receivedAt).toBeGreaterThanOrEqual(HOST_LIMITS.eventTargetMs);
    lost = true;
    sendEvent(host, { id: "e-2", name: "order.paid", data: { cents: 1 } }, workflows);
    while (host.coordinators.get({ kind: "event", name: "e-2" }).header?.outbox.count !== 0) await host.next();
    expect(eventRecord(host, "e-2").targets).toMatchObject([{ trigger: "all", state: "failed", code: "UNREACHABLE" }]);
  });

  test("EVT1 an id is forgotten after thirty days, with all rows", async () => {
    const host = new MemoryHost({ workflows });
    sendEvent(host, { id: "e-1", name: "order.paid", data: { cents: 1 } }, workflows);
    const until = host.clock.now() + HOST_LIMITS.eventKeptMs * 2;
    while (await host.next(until));
    expect(eventRecord(host, "e-1")).toMatchObject({ type: "refused", code: "not_found" });
    expect([...host.coordinators.get({ kind: "event", name: "e-1" }).store.list("")]).toEqual([]);
  });
});
