/** Checks the holds of a run: when it wants them, when it gives them back, and what it answers to gates. */
import type { FlowOptions } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import type { Acquire, AcquireAnswer, HolderAnswer, RunHeader } from "../src/index.ts";
import { Bench, completed } from "./bench.ts";

const INPUT = JSON.stringify([{ customer: 1, tier: 2 }, "c-1", "gold"]);

function benchWith(limits: FlowOptions["limits"], more: FlowOptions = {}): Bench {
  const bench = new Bench();
  bench.flow = { ...more, ...(limits === undefined ? {} : { limits }) };
  return bench;
}

const oneRun = (limits: FlowOptions["limits"], more: FlowOptions = {}): Bench => {
  const bench = benchWith(limits, more);
  expect(bench.trigger({ input: INPUT })).toEqual({ type: "created" });
  return bench;
};

const states = ({ holds = [] }: RunHeader): string[] => holds.map(({ limit, state }) => `${limit} ${state}`);

/** The last message to a gate. */
function last(bench: Bench) {
  const sent = bench.toGates.at(-1);
  if (sent === undefined) throw new Error("nothing was sent to a gate");
  return sent;
}

function answer(bench: Bench, given: AcquireAnswer): Acquire {
  const { message, done } = last(bench);
  if (message.type !== "acquire") throw new Error("a release was sent last");
  done({ type: "acknowledged", answer: given });
  return message;
}

function fromGate(bench: Bench, type: "grant" | "probeHold", seq: number, gate = "db"): HolderAnswer["type"] {
  const { id: runId, incarnation = "" } = bench.header;
  const result = bench.host.receive({ type, gate, hold: { runId, incarnation, seq } }, "0".repeat(32));
  if (result.type !== "acknowledged") throw new Error(`the run answered ${result.type}`);
  return (result.answer as HolderAnswer).type;
}

const parks = { type: "parked", seq: 9, now: 2_000_000 } as const;
const sleeps = (ms: number) => ({ type: "wait.opened", op: "sleep/0/nap", nth: 1, afterMs: ms }) as const;

describe("a run with a limit", () => {
  test("L1 a run executes only after its header says that it holds each limit, which it wants in the order of the names", () => {
    const bench = oneRun([
      { name: "b", max: 1 },
      { name: "a", max: 1 },
    ]);
    expect(bench.header).toMatchObject({ status: "pending", epoch: 0, uses: ["holds"] });
    expect(states(bench.header)).toEqual(["a wanted", "b free"]);
    answer(bench, { type: "granted" });
    expect(states(bench.header)).toEqual(["a held", "b wanted"]);
    expect(bench.header.epoch).toBe(0);
    answer(bench, { type: "queued", position: 3 });
    expect(bench.header.holds?.[1]).toMatchObject({ position: 3 });
    expect(fromGate(bench, "grant", 2, "b")).toBe("accepted");
    expect(bench.header).toMatchObject({ status: "running", epoch: 1 });
    expect(bench.header.admission).toBeUndefined();
  });

  test("L1 L4 an active hold is free in the commit that parks the run, and the run waits in its old place when it wakes", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    answer(bench, { type: "granted" });
    bench.report(sleeps(60_000), parks);
    expect(bench.header.status).toBe("waiting");
    expect(states(bench.header)).toEqual(["db free"]);
    const released = last(bench);
    expect(released.message).toMatchObject({ type: "release", hold: { seq: 1 }, place: { enqueuedAt: 1_000_000 } });
    released.done({ type: "acknowledged" });
    bench.alarm();
    expect(bench.header).toMatchObject({ status: "waiting", epoch: 1, admission: { since: 1_060_000 } });
    const { hold, place, onFull, again } = answer(bench, { type: "granted" });
    expect({ seq: hold.seq, place, onFull }).toEqual({ seq: 2, place: { enqueuedAt: 1_000_000 }, onFull: "queue" });
    expect(again).toBe(true);
    expect(bench.header).toMatchObject({ status: "running", epoch: 2 });
  });

  test("L1 a run keeps a hold of mode run while it waits, is paused and undoes its steps, and frees it with its end", () => {
    const bench = oneRun([{ name: "db", max: 1, mode: "run" }]);
    answer(bench, { type: "granted" });
    bench.report(sleeps(60_000), parks);
    bench.host.handle({ type: "pause" });
    expect(states(bench.header)).toEqual(["db held"]);
    bench.host.handle({ type: "unpause" });
    bench.alarm();
    expect(bench.header.status).toBe("running");
    bench.report(completed("a", { compensable: true }), {
      type: "run.unwinding",
      nth: 1,
      op: "unwind/0/run",
      cause: "request",
      error: { name: "E", message: "" },
    });
    expect(states(bench.header)).toEqual(["db held"]);
    bench.report({ type: "run.unwound" });
    expect(bench.header.status).toBe("compensated");
    expect(states(bench.header)).toEqual(["db free"]);
    expect(last(bench).message).toMatchObject({ type: "release", hold: { seq: 1 } });
  });

  test("L3 a grant of another holding is declined, and a repeated one is accepted", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    answer(bench, { type: "queued" });
    expect(fromGate(bench, "grant", 2)).toBe("declined");
    expect(fromGate(bench, "probeHold", 1)).toBe("wants");
    expect(fromGate(bench, "grant", 1)).toBe("accepted");
    expect(fromGate(bench, "grant", 1)).toBe("accepted");
    expect(fromGate(bench, "probeHold", 1)).toBe("holds");
    bench.report({ type: "run.completed", output: "[1]" });
    expect(fromGate(bench, "grant", 1)).toBe("declined");
    expect(fromGate(bench, "probeHold", 1)).toBe("free");
  });

  test("L3 a run that waits and is not answered asks again, later each time, with the same number", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    const asked: number[] = [];
    for (let round = 0; round < 6; round++) {
      expect(answer(bench, { type: "queued" }).hold.seq).toBe(1);
      asked.push((bench.store.alarm ?? 0) - bench.now);
      bench.alarm();
    }
    expect(asked).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  test("L3 a grant to a run of another life is not_found, as one to an object without a run", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    const grant = { type: "grant", gate: "db", hold: { runId: "r", incarnation: "other", seq: 1 } } as const;
    const gone = { type: "acknowledged", answer: { type: "not_found" } };
    expect(bench.host.receive(grant, "")).toEqual(gone);
    expect(new Bench().host.receive(grant, "")).toEqual(gone);
  });

  test("L7 a run that is cancelled while it waits ends at once, and cannot be deleted before its release is acknowledged", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    answer(bench, { type: "queued" });
    bench.host.handle({ type: "cancel", reason: "enough" });
    expect(bench.header.status).toBe("cancelled");
    const { message, done } = last(bench);
    expect(message).toMatchObject({ type: "release", hold: { seq: 1 } });
    expect(bench.host.handle({ type: "delete" })).toMatchObject({ type: "refused", code: "run_not_ended" });
    done({ type: "acknowledged" });
    expect(bench.host.handle({ type: "delete" })).toEqual({ type: "done" });
  });

  test("FLOW4 a run that is not admitted within queueTimeout ends failed with QUEUE_TIMEOUT", () => {
    const bench = oneRun([{ name: "db", max: 1, queueTimeout: "10s" }]);
    answer(bench, { type: "queued" });
    bench.alarm();
    expect(bench.now).toBe(1_010_000);
    expect(bench.header).toMatchObject({ status: "failed", error: { code: "QUEUE_TIMEOUT" } });
    expect(last(bench).message.type).toBe("release");
  });

  test("FLOW5 a run that a rate admits later is pending until then, by its own alarm, and has nothing to release", () => {
    const bench = oneRun([{ name: "db", rate: { limit: 1, per: "1m" } }]);
    answer(bench, { type: "granted", startAt: 1_090_000 });
    expect(bench.header).toMatchObject({ status: "pending", epoch: 0 });
    expect(bench.store.alarm).toBe(1_090_000);
    bench.alarm();
    expect(bench.header).toMatchObject({ status: "running", epoch: 1 });
    bench.report({ type: "run.completed", output: "[1]" });
    expect(bench.toGates).toHaveLength(1);
  });

  test.each([
    [{ type: "full" }, "failed", "LIMIT_FULL"],
    [{ type: "skip", holder: "other" }, "cancelled", "CANCELLED"],
    [{ type: "dropped", reason: "queue_full" }, "cancelled", "CANCELLED"],
  ] as const)("FLOW4 a run that the gate answers with %j ends %s", (given, status, code) => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    answer(bench, given);
    expect(bench.header).toMatchObject({ status, error: { code } });
    expect(bench.toGates).toHaveLength(1);
  });

  test("FLOW4 a run that a newer one replaces is cancelled with the reason replaced, and frees its hold when it has ended", () => {
    const bench = oneRun([{ name: "db", max: 1, mode: "run" }]);
    answer(bench, { type: "granted" });
    const drop = {
      type: "drop",
      gate: "db",
      hold: { runId: "r", incarnation: "", seq: 1 },
      reason: "replaced",
      by: "r-2",
    } as const;
    expect(bench.host.receive(drop, "")).toMatchObject({ answer: { type: "accepted" } });
    expect(bench.host.receive(drop, "")).toMatchObject({ answer: { type: "accepted" } });
    expect(bench.header).toMatchObject({ status: "running", unwinding: { cause: "cancel" } });
    expect(states(bench.header)).toEqual(["db held"]);
    bench.report({ type: "run.unwound" });
    expect(bench.header).toMatchObject({ status: "cancelled", cancelReason: "replaced by run r-2" });
    expect(states(bench.header)).toEqual(["db free"]);
    expect(bench.host.receive(drop, "")).toMatchObject({ answer: { type: "declined" } });
  });

  test("CAN4 a paused run gives its active hold back, waits for it after the pause, and keeps its place", () => {
    const bench = oneRun([{ name: "db", max: 1 }]);
    answer(bench, { type: "granted" });
    bench.host.handle({ type: "pause" });
    expect(states(bench.header)).toEqual(["db free"]);
    last(bench).done({ type: "acknowledged" });
    bench.host.handle({ type: "unpause" });
    expect(bench.header).toMatchObject({ status: "waiting", epoch: 1 });
    expect(answer(bench, { type: "granted" }).place).toEqual({ enqueuedAt: 1_000_000 });
    expect(bench.header).toMatchObject({ status: "running", epoch: 2 });
  });

  test("DUR14 a run from a back-up gives its holds back under their old numbers, and executes when it holds them again", () => {
    const bench = oneRun([{ name: "db", max: 1, mode: "run" }]);
    answer(bench, { type: "granted" });
    bench.now += 5_000;
    bench.host.handle({ type: "reindex", restored: true });
    expect(bench.header).toMatchObject({ status: "waiting" });
    const release = last(bench);
    expect(release.message).toMatchObject({ type: "release", hold: { seq: 1 } });
    release.done({ type: "acknowledged" });
    expect(answer(bench, { type: "granted" }).hold.seq).toBe(1_005_001);
    expect(bench.header).toMatchObject({ status: "running", epoch: 2 });
  });

  test("DUR14 a run from a back-up whose first execution was deferred executes when it holds its limits again", () => {
    const bench = oneRun([{ name: "db", rate: { limit: 1, per: "1m" }, mode: "run" }]);
    answer(bench, { type: "granted", startAt: bench.now + 1_000 });
    bench.now += 2_000;
    bench.isHeld = true;
    bench.host = bench.newHost();
    bench.host.handle({ type: "reindex", restored: true });
    expect(bench.header).toMatchObject({ status: "waiting", epoch: 0 });
    bench.isHeld = false;
    bench.host = bench.newHost();
    bench.alarm();
    last(bench).done({ type: "acknowledged" });
    answer(bench, { type: "granted", startAt: bench.now + 1_000 });
    expect(bench.header).toMatchObject({ status: "waiting", epoch: 0 });
    bench.now += 2_000;
    bench.alarm();
    expect(bench.header).toMatchObject({ status: "running", epoch: 1 });
  });
});

describe("the keys of a run", () => {
  test("FLOW2 keys are computed from the input as it was sent, by function or path, and stored with the run", () => {
    let calls = 0;
    const bench = oneRun(
      [
        { name: "a", max: 1, key: (input: { customer: string }) => `${input.customer}${(calls += 1)}` },
        { name: "b", max: 1, key: "input.tier", fair: { key: "input.customer" } },
      ],
      { priority: () => 60 },
    );
    expect(bench.header.holds).toMatchObject([{ key: "c-11" }, { key: "gold", group: "c-1" }]);
    expect(answer(bench, { type: "granted" }).place).toMatchObject({ priority: 60 });
    expect(last(bench)).toMatchObject({ to: "b\u0002gold", message: { settings: { rev: 7, max: 1 } } });
    bench.trigger({ input: INPUT });
    expect(calls).toBe(1);
  });

  test.each([
    ["undefined", (): unknown => undefined, "the input gives undefined"],
    ["an object", (): unknown => ({}), "an object"],
    ["NaN", (): unknown => NaN, "a number"],
    ["a number that JSON readers round", (): unknown => 2 ** 53, "a number above 9007199254740991"],
    [
      "an exception",
      (): unknown => {
        throw new Error("no");
      },
      "threw Error: no",
    ],
    [
      "an exception without a text",
      (): unknown => {
        // oxlint-disable-next-line typescript/only-throw-error -- a function of a user throws anything
        throw Object.create(null);
      },
      "was thrown",
    ],
  ])("FLOW2 a key function that gives %s refuses the trigger, and stores nothing", (_what, key, says) => {
    const bench = benchWith([{ name: "a", max: 1, key }]);
    const reply = bench.trigger({ input: INPUT });
    expect(reply).toMatchObject({ type: "refused", code: "limit_key_invalid", message: expect.stringContaining(says) });
    expect(bench.host.state.header).toBeUndefined();
  });

  test("FLOW2 a key of more than 256 bytes is replaced by its hash", () => {
    const bench = oneRun([{ name: "a", max: 1, key: () => "x".repeat(257) }]);
    expect(bench.header.holds?.[0]?.key).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test("FLOW3 an attached child is sent the holdings of mode run of its ancestors, and a detached one is not", () => {
    const bench = oneRun([
      { name: "db", max: 1, mode: "run" },
      { name: "net", max: 1 },
    ]);
    answer(bench, { type: "granted" });
    answer(bench, { type: "granted" });
    const start = (name: string, detached: boolean) =>
      ({
        type: "child.started",
        op: `run/0/${name}`,
        nth: 1,
        workflowId: name,
        input: "[1]",
        tags: [],
        detached,
      }) as const;
    bench.report(start("x", false), start("y", true));
    const above = [{ limit: "db", hold: { runId: "r", incarnation: "", seq: 1 } }];
    expect(bench.sent.map(({ message }) => message)).toMatchObject([
      { trigger: { heldAbove: above } },
      { type: "trigger" },
    ]);
    expect(bench.sent[1]?.message).not.toHaveProperty("trigger.heldAbove");
    const child = benchWith([{ name: "db", max: 1, mode: "run" }]);
    child.trigger({ heldAbove: above, parent: { runId: "r", op: "run/0/x", detached: false } });
    expect(last(child).message).toMatchObject({ type: "acquire", lineage: [above[0]?.hold] });
  });
});

describe("a run whose limits were asked before it existed", () => {
  test("L1 a limit with the name of a property that each object inherits is wanted as any other", () => {
    const bench = oneRun([{ name: "constructor", max: 1 }]);
    expect(states(bench.header)).toEqual(["constructor wanted"]);
    expect(bench.header.epoch).toBe(0);
  });

  test("FLOW6 an active hold that was asked for first is given back while the run waits for one that comes before it", () => {
    const bench = benchWith([
      { name: "a", max: 1, onFull: "reject" },
      { name: "b", max: 1, mode: "run" },
    ]);
    bench.host.handle({ ...bench.newTrigger(), granted: { a: { seq: 1, enqueuedAt: 5 } } });
    expect(states(bench.header)).toEqual(["b wanted", "a free"]);
    expect(bench.toGates.map(({ to, message: { type, hold } }) => [to, type, hold.seq])).toEqual([
      ["a", "release", 1],
      ["b", "acquire", 2],
    ]);
    bench.toGates[0]?.done({ type: "acknowledged" });
    answer(bench, { type: "granted" });
    const { hold, place, onFull } = answer(bench, { type: "granted" });
    expect({ seq: hold.seq, place, onFull }).toEqual({ seq: 3, place: { enqueuedAt: 5 }, onFull: "queue" });
    expect(bench.header.status).toBe("running");
  });
});
