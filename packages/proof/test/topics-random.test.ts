/** tests: random worlds of runs, topics and events, with faults and crashes, against what each run must see */
import { event, workflow } from "@holdfast/workflows";
import { type Faults, MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { sendEvent } from "./topic-world.ts";

const tick = event<{ n: number }>("tick", { key: "key" });
const halt = event<{ key: string }>("halt", { key: "key" });
const SENT = 12;
const RUNS = ["a", "b", "c"];

/** A sequence of numbers in [0, 1) that depends on the seed alone. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Waits until the event of its key cancels it. */
const stopped = workflow({
  id: "stopped",
  cancelOn: [{ event: halt, key: "key" }],
  run: (_input: { key: string }, ctx) => ctx.waitForSignal("never"),
});

/** Iterates, awaits one wait after the other, or has several at once, with pauses in which it does not wait. */
const reader = workflow({
  id: "reader",
  run: async (style: string, ctx) => {
    const seen: number[] = [];
    const options = { key: "k", allowGap: true };
    if (style === "iterates") {
      for await (const { n } of ctx.waitForEvent(tick, options)) if (seen.push(n) === SENT) break;
    } else if (style === "awaits") {
      while (seen.length < SENT) {
        const got = await ctx.waitForEvent(tick, { ...options, timeout: "30s" });
        if (got !== null) seen.push(got.n);
        else await ctx.sleep("45s");
      }
    } else {
      while (seen.length < SENT) {
        const pair = [1, 2].map(() => ctx.waitForEvent(tick, options));
        for (const one of await Promise.all(pair)) seen.push(one.n);
        await ctx.sleep("10s");
      }
    }
    return seen;
  },
});

interface World {
  readonly hosts: readonly MemoryHost[];
  readonly crashes: { runs: number; topics: number };
  /** Of the run that is halted, and of the other one. */
  readonly statuses: readonly string[];
}

async function play(seed: number): Promise<World> {
  const random = randomOf(seed);
  const crashes = { runs: 0, topics: 0 };
  const kinds = ["lost", "twice", "late", "answer lost"] as const;
  const faults: Faults = {
    message: () => (random() < 0.25 ? kinds[Math.floor(random() * kinds.length)] : undefined),
    alarm: () => (random() < 0.05 ? "twice" : undefined),
  };
  const shared = {
    workflows: [reader, stopped],
    faults,
    crashesCoordinator: () => random() < 0.1 && (crashes.topics += 1) > 0,
  };
  const first = new MemoryHost({ ...shared, runId: "a" });
  const { world, coordinators, clock } = first;
  const others = RUNS.slice(1).map((runId) => new MemoryHost({ ...shared, world, coordinators, clock, runId }));
  const hosts = [first, ...others];
  const stops = (runId: string): MemoryHost => {
    const host = new MemoryHost({ ...shared, world, coordinators, clock, runId });
    host.trigger("stopped", { key: runId });
    return host;
  };
  const [halted, kept] = [stops("halted"), stops("kept")];
  const haltedAt = 1 + Math.floor(random() * SENT);
  const styles = ["iterates", "awaits", "pairs"];
  for (const host of hosts) host.trigger("reader", styles[Math.floor(random() * 3)]);
  let at = clock.now() + 1;
  for (let n = 1; n <= SENT; n++) {
    at += Math.floor(random() * 40_000);
    while (await first.next(at));
    if (clock.now() < at) clock.jump(at - clock.now());
    if (n === haltedAt) sendEvent(first, { id: "h-1", name: "halt", data: { key: "halted" } }, [stopped]);
    for (const host of [...hosts, halted, kept]) if (random() < 0.3 && (crashes.runs += 1) > 0) host.crash();
    // The order of a key is that of its topic: the next event is sent when the topic has this one.
    sendEvent(first, { id: `e-${n}`, name: "tick", key: "k", data: { n } });
    await first.settle();
    const sender = coordinators.get({ kind: "event", name: `e-${n}` });
    while (sender.header?.outbox.count !== 0 && (await first.next()));
  }
  const until = clock.now() + 86_400_000;
  while ([...hosts, halted].some(({ ended }) => !ended) && (await first.next(until)));
  return { hosts, crashes, statuses: [halted, kept].map(({ header }) => header.status) };
}

test("EVT5 EVT6 EVT8 EVT14 each run sees each event once, in order, and only the halted one is cancelled, whatever is lost, repeated, late or crashes", async () => {
  const all = Array.from({ length: SENT }, (_, at) => at + 1);
  const total = { runs: 0, topics: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    const { hosts, crashes, statuses } = await play(seed);
    total.runs += crashes.runs;
    total.topics += crashes.topics;
    const seen = hosts.map(({ output }) => output);
    expect([seed, seen]).toEqual([seed, hosts.map(() => all)]);
    expect([seed, statuses]).toEqual([seed, ["cancelled", "waiting"]]);
  }
  expect(total.runs).toBeGreaterThan(100);
  expect(total.topics).toBeGreaterThan(100);
});
