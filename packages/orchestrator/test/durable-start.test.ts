/** When user code that an alarm, a message or a loss begins may execute (DUR10). */
import type { AbortReason, ExecutionEvent, ExecutionPort, ExecutionStart } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { RunHost, type TriggerInput } from "../src/index.ts";
import { Bench } from "./bench.ts";

/** A store whose commits become durable, or are lost, when the test says so. */
class SlowStore extends MemoryStore {
  #waiting: ((error?: unknown) => void)[] = [];

  override sync(done: (error?: unknown) => void): void {
    this.#waiting.push(done);
  }

  settle(error?: unknown): void {
    for (const done of this.#waiting.splice(0)) done(error);
  }

  /** The process dies: its calls get no answer. */
  drop(): void {
    this.#waiting = [];
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

const sleep: ExecutionEvent = { type: "wait.opened", op: "sleep/0/sleep", nth: 1, afterMs: 1_000 };
const parked: ExecutionEvent = { type: "parked", seq: 1, now: 0 };

let store: SlowStore;
let starts: { readonly start: ExecutionStart; readonly port: ExecutionPort }[];
let received: string[];
let aborted: AbortReason[];
let errors: unknown[];
let now: number;
let host: RunHost;

function newHost(): RunHost {
  store.drop();
  return new RunHost({
    store,
    clock: () => now,
    send: () => {},
    onError: (error) => errors.push(error),
    dispatcher: {
      workflows: () => [],
      start: (start, port) => {
        starts.push({ start, port });
        return {
          update: ({ entries }) => received.push(entries.map(({ type }) => type).join(" ")),
          abort: (reason) => aborted.push(reason),
        };
      },
    },
  });
}

function report(...events: ExecutionEvent[]): void {
  starts.at(-1)?.port.report({ epoch: host.state.header?.epoch ?? 0, asked: 9, events });
}

/** A run that sleeps, whose process has died, and whose alarm fires. */
function wakeCold(): void {
  host.handle(new Bench().newTrigger());
  report(sleep, parked);
  host = newHost();
  now += 1_000;
  host.handle({ type: "alarm" });
}

beforeEach(() => {
  store = new SlowStore();
  starts = [];
  received = [];
  aborted = [];
  errors = [];
  now = 1_000_000;
  host = newHost();
});

describe("begin", () => {
  test("DUR10 an execution that an alarm begins starts when its epoch is durable", () => {
    wakeCold();
    expect([starts.length, host.state.header?.epoch]).toEqual([1, 2]);
    store.settle();
    expect(starts.map(({ start }) => start.epoch)).toEqual([1, 2]);
    expect(starts[1]?.start.journal.map(({ type }) => type)).toEqual(["wait.opened", "wait.resolved"]);
  });

  test("DUR10 an execution that a message of another run begins, or that replaces a lost one, starts when its epoch is durable", () => {
    const { type: _type, identity, seed, ...more } = new Bench().newTrigger();
    const { id, ...attributes } = identity;
    host.receive({ type: "trigger", op: "run/0/r", trigger: { runId: id, ...attributes, ...more } }, seed);
    expect([starts.length, store.waiting]).toEqual([0, 1]);
    store.settle();
    expect(starts).toHaveLength(1);
    starts[0]?.port.lost({ name: "Error", message: "gone", code: "SESSION_LOST" });
    expect([starts.length, store.waiting]).toEqual([1, 1]);
    host = newHost();
    host.handle({ type: "deliver", kind: "signal", name: "s", payload: "-1" });
    expect([starts.length, store.waiting]).toEqual([1, 1]);
    store.settle();
    expect(starts).toHaveLength(2);
  });

  test.each<[string, TriggerInput | { readonly type: "deliver"; kind: "signal"; name: string; payload: string }]>([
    ["a trigger", new Bench().newTrigger()],
    ["a delivery", { type: "deliver", kind: "signal", name: "s", payload: "-1" }],
  ])("DUR10 REP6 an execution that %s of a caller begins shares its commit", (_what, input) => {
    if (input.type === "deliver") {
      host.handle(new Bench().newTrigger());
      report({ type: "wait.opened", op: "signal/0/s", nth: 1 }, parked);
      host = newHost();
    }
    const before = [starts.length, store.counts.commits];
    host.handle(input);
    expect([starts.length, store.counts.commits, store.waiting]).toEqual([
      (before[0] as number) + 1,
      (before[1] as number) + 1,
      0,
    ]);
  });
});

describe("continue", () => {
  test("DUR10 an execution in memory gets the outcome of its alarm when it is durable, and that of a delivery at once", () => {
    host.handle(new Bench().newTrigger());
    report(sleep, { type: "wait.opened", op: "signal/0/s", nth: 2 }, { ...parked, seq: 2 });
    now += 1_000;
    host.handle({ type: "alarm" });
    expect(received).toEqual([]);
    host.handle({ type: "deliver", kind: "signal", name: "s", payload: "-1" });
    expect(received).toEqual(["wait.resolved"]);
    store.settle();
    expect(received).toEqual(["wait.resolved", "wait.resolved"]);
  });

  test("DUR10 DUR6 an outcome that waits to be durable does not reach an execution that was replaced meanwhile", () => {
    host.handle(new Bench().newTrigger());
    report(sleep, parked);
    now += 1_000;
    host.handle({ type: "alarm" });
    starts[0]?.port.lost({ name: "Error", message: "gone", code: "SESSION_LOST" });
    store.settle();
    expect([received, starts.length, aborted]).toEqual([[], 2, [{ type: "superseded" }]]);
  });
});

describe("between the commit and its durability", () => {
  test("DUR10 inputs of that time begin no second execution, and their entries are in its journal", () => {
    wakeCold();
    host.handle({ type: "deliver", kind: "signal", name: "s", payload: "-1" });
    host.handle({ type: "alarm" });
    starts[0]?.port.report({ epoch: 1, asked: 9, events: [sleep] });
    host.handle({ type: "pause" });
    store.settle();
    expect([starts.length, starts[1]?.start.paused, host.state.header?.epoch]).toEqual([2, true, 2]);
    expect(host.state.header?.crashes).toBeUndefined();
  });

  test("DUR10 CAN2 a cancel of that time begins the one execution, which runs the clean-up code", () => {
    wakeCold();
    expect(host.handle({ type: "cancel" })).toEqual({ type: "done" });
    store.settle();
    expect([starts.length, host.state.header?.unwinding?.cause]).toEqual([2, "cancel"]);
  });

  test("DUR10 a commit that is lost drops the execution that waits for it, and the next input decides from stored rows", () => {
    wakeCold();
    const failure = new Error("the disk is gone");
    store.settle(failure);
    expect([errors, starts.length]).toEqual([[failure], 1]);
    host.handle({ type: "alarm" });
    store.settle();
    expect(starts).toHaveLength(2);
  });

  test("DUR10 an object that is evicted in that time executes nothing", () => {
    wakeCold();
    host.forget();
    store.settle();
    expect(starts).toHaveLength(1);
  });
});
