import { ENCODED_UNDEFINED, type ExecutionEvent, DEFAULT_LIMITS, HOST_LIMITS, errorValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  type Input,
  type Reply,
  type RunState,
  applyBatch,
  computeBackoffDelayMs,
  loadRun,
  nextAlarm,
  readJournal,
  checkedTransition,
} from "../src/index.ts";

/** The state machine alone: a store, a clock that tests set, and no execution. */
class Machine {
  readonly store = new MemoryStore();
  state: RunState = loadRun(this.store);
  now = 1_000_000;
  live = false;
  effects: string[] = [];

  send(input: Input): Reply {
    const { batch, effects, reply } = checkedTransition(this.state, input, {
      now: this.now,
      live: this.live,
      limits: DEFAULT_LIMITS,
      canSend: true,
    });
    this.store.commit(batch);
    applyBatch(this.state, batch);
    this.effects = effects.map((effect) => effect.type);
    // The state after the batch equals a state that is loaded from the store (F1).
    const loaded = loadRun(this.store);
    expect(loaded.header).toEqual(this.state.header);
    expect([loaded.lastSeq, loaded.lastAt]).toEqual([this.state.lastSeq, this.state.lastAt]);
    expect([...loaded.inbox]).toEqual([...this.state.inbox]);
    if (this.state.header !== undefined) expect(this.store.alarm).toBe(nextAlarm(this.state.header));
    return reply;
  }

  report(...events: ExecutionEvent[]): Reply {
    return this.send({ type: "report", report: { epoch: this.state.header?.epoch ?? 0, asked: 10, events } });
  }

  get status(): string | undefined {
    return this.state.header?.status;
  }

  trigger(): Reply {
    const reply = this.send({
      type: "trigger",
      identity: { id: "r", workflowId: "w", tags: [], environment: "test", triggeredBy: "api" },
      input: ENCODED_UNDEFINED,
      seed: "0".repeat(32),
    });
    this.live = true;
    return reply;
  }
}

const completed = (op: string, nth = 1): ExecutionEvent => ({
  type: "step.completed",
  op,
  nth,
  attempt: 1,
  startedAt: 0,
  value: "[1]",
});
const opened = (op: string, more: object = {}): ExecutionEvent => ({ type: "wait.opened", op, nth: 1, ...more });

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});

describe("reports", () => {
  test("DUR3 a repeated report changes nothing", () => {
    machine.trigger();
    machine.report(completed("step/0/a"), opened("signal/0/s"));
    const before = machine.store.dump();
    machine.report(completed("step/0/a"), opened("signal/0/s"));
    expect(machine.store.dump()).toEqual(before);
  });

  test("DUR6 after the end each report is rejected with the reason `ended`", () => {
    machine.trigger();
    machine.report({ type: "run.completed", output: "[1]" }, completed("step/0/late"));
    expect(machine.status).toBe("completed");
    expect(readJournal(machine.state)).toEqual([]);
    expect(machine.report(completed("step/0/a"))).toEqual({
      type: "report",
      answer: { accepted: false, reason: "ended" },
    });
  });

  test("DUR5 a run does not park while the execution has not seen the newest outcome", () => {
    machine.trigger();
    machine.report(opened("signal/0/s"));
    machine.send({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    expect(machine.effects).toEqual(["update"]);
    machine.report({ type: "parked", seq: 1, now: 1_000_000_000 });
    expect(machine.status).toBe("running");
    machine.report({ type: "parked", seq: 2, now: 1_000_000_000 });
    expect(machine.status).toBe("waiting");
    machine.report({ type: "unparked" });
    expect(machine.status).toBe("running");
  });

  test("DUR5 a run parks in the report that opens its wait, unless a buffered delivery resolves the wait at once", () => {
    machine.trigger();
    machine.send({ type: "deliver", kind: "event", name: "e", payload: "[1]" });
    machine.report(opened("event/0/e"), { type: "parked", seq: 0, now: 1_000_000_000 });
    expect(machine.status).toBe("running");
    machine.report(opened("event/1/e"), { type: "parked", seq: 2, now: 1_000_000_000 });
    expect(machine.status).toBe("waiting");
  });

  test("LIM1 a full journal ends the run, and the error states the limit", () => {
    machine.trigger();
    machine.state.lastSeq = DEFAULT_LIMITS.journalEntries;
    const { batch, effects } = checkedTransition(
      machine.state,
      { type: "report", report: { epoch: 1, asked: 1, events: [completed("step/0/a")] } },
      { now: machine.now, live: true, limits: DEFAULT_LIMITS, canSend: true },
    );
    expect(batch.puts.get("record")).toMatchObject({
      status: "failed",
      error: { code: "LIMIT_EXCEEDED", message: expect.stringContaining(String(DEFAULT_LIMITS.journalEntries)) },
    });
    expect(effects).toMatchObject([{ type: "abort" }]);
  });
});

describe("dispatch", () => {
  const lost = (epoch: number): Input => ({ type: "lost", epoch, error: errorValue("WORKFLOW_NOT_FOUND", "not here") });

  test("DUR8 a failed dispatch is retried with backoff, and the run pauses with DISPATCH_FAILED after the time limit", () => {
    machine.trigger();
    const began = machine.now;
    const delays: number[] = [];
    for (let tries = 0; machine.status === "running" && tries < 2_000; tries++) {
      machine.send(lost(machine.state.header?.epoch ?? 0));
      machine.live = false;
      if (machine.status !== "running") break;
      const at = machine.store.alarm as number;
      delays.push(at - machine.now);
      machine.now = at;
      machine.send({ type: "alarm" });
      expect(machine.effects).toEqual(["start"]);
      machine.live = true;
    }
    expect(machine.state.header).toMatchObject({
      status: "paused",
      error: { code: "DISPATCH_FAILED", category: "RUNTIME_ERROR", message: expect.stringContaining("not here") },
    });
    expect(machine.now - began).toBeGreaterThan(DEFAULT_LIMITS.dispatchRetryMs);
    expect(delays[0]).toBeLessThan(1_300);
    expect(Math.max(...delays)).toBeLessThanOrEqual(60_000);
    expect(machine.store.alarm).toBeNull();
  });

  test("DUR8 a report clears the dispatch failure, and a failure of an old epoch is ignored", () => {
    machine.trigger();
    machine.send(lost(1));
    machine.live = false;
    expect(machine.state.header?.dispatch).toMatchObject({ failures: 1 });
    machine.send({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    expect(machine.effects).toEqual([]);
    machine.now = machine.store.alarm as number;
    machine.send({ type: "alarm" });
    machine.live = true;
    machine.send(lost(1));
    expect(machine.state.header?.dispatch).toMatchObject({ failures: 1 });
    machine.report(completed("step/0/a"));
    expect(machine.state.header?.dispatch).toBeUndefined();
    expect(machine.status).toBe("running");
  });
});

describe("other inputs", () => {
  test("LIM2 an input to a run that does not exist is rejected and writes nothing", () => {
    const inputs: Input[] = [
      { type: "deliver", kind: "signal", name: "s", payload: "-1" },
      { type: "resolveToken", tokenId: "t", payload: "-1" },
      { type: "cancel" },
      { type: "noteResumed", runId: "x" },
    ];
    for (const input of inputs) expect(machine.send(input)).toMatchObject({ type: "refused", code: "not_found" });
    expect(machine.send({ type: "alarm" })).toEqual({ type: "done" });
    expect(machine.report(completed("step/0/a"))).toMatchObject({ answer: { accepted: false } });
    expect(machine.store.dump()).toEqual({});
    expect(machine.store.alarm).toBeNull();
  });

  test("WAIT9 the number of stored delivery ids is limited", () => {
    machine.trigger();
    const { header } = machine.state;
    if (header !== undefined) machine.state.header = { ...header, deliveryIds: DEFAULT_LIMITS.deliveryIds };
    const { batch, reply } = checkedTransition(
      machine.state,
      { type: "deliver", kind: "signal", name: "s", payload: "-1", deliveryId: "d" },
      { now: machine.now, live: true, limits: DEFAULT_LIMITS, canSend: true },
    );
    expect(reply).toMatchObject({ type: "refused", code: "inbox_full" });
    expect(batch.puts.size).toBe(0);
  });

  test("RES1 the list of runs resumed from a run is limited", () => {
    machine.trigger();
    for (let i = 0; i < HOST_LIMITS.resumedBy + 1; i++) machine.send({ type: "noteResumed", runId: `r${i}` });
    expect(machine.state.header?.resumedBy).toHaveLength(HOST_LIMITS.resumedBy);
  });

  test("WAIT1 journal times never decrease, even if the clock steps back", () => {
    machine.trigger();
    machine.report(completed("step/0/a"));
    machine.now -= 500_000;
    machine.report(completed("step/0/b", 2));
    const times = readJournal(machine.state).map((entry) => entry.at);
    expect(times[1]).toBe(times[0]);
  });

  test("CAN1 CAN2 a cancel of a run with a live execution updates the execution, which cleans up", () => {
    machine.trigger();
    machine.send({ type: "cancel", reason: "x".repeat(10_000) });
    expect(machine.effects).toEqual(["update"]);
    expect(machine.state.header?.error?.message.length).toBeLessThan(5_000);
  });

  test("STEP2 a backoff is the same each time it is computed, differs between runs and never exceeds the maximum", () => {
    const policy = { max: 100, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 } as const;
    expect(computeBackoffDelayMs(policy, 3, "a")).toBe(computeBackoffDelayMs(policy, 3, "a"));
    expect(computeBackoffDelayMs(policy, 3, "a")).not.toBe(computeBackoffDelayMs(policy, 3, "b"));
    for (let attempt = 1; attempt <= 100; attempt++)
      expect(computeBackoffDelayMs(policy, attempt, "k")).toBeLessThanOrEqual(60_000);
  });
});
