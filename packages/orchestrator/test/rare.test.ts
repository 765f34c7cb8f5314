/** What seldom happens, and must be right when it does. */
import { type ExecutionEvent, type ExecutionPort, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { RunHost, describeRun, planResume, readJournal } from "../src/index.ts";
import { Bench, child } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const completed = (name: string, more: object = {}): ExecutionEvent => ({
  type: "step.completed",
  op: `step/0/${name}`,
  nth: 1,
  attempt: 1,
  startedAt: 0,
  value: "[1]",
  ...more,
});

const failed = (more: object = {}): ExecutionEvent => ({
  type: "run.failed",
  error: { name: "Error", message: "no", data: encodeValue({ at: 1 }, "data") },
  ...more,
});

describe("children", () => {
  test("LIM1 a run that owes 10,000 messages starts no more children", () => {
    bench.trigger();
    const many = Array.from({ length: 10_001 }, (_, n) => child(`c${n}`, true));
    bench.report(...many);
    const last = readJournal(bench.host.state).at(-1);
    expect(last).toMatchObject({ type: "child.ended", outcome: { error: { code: "LIMIT_EXCEEDED" } } });
    expect(bench.header.outbox.count).toBe(10_000);
  });

  test("CHILD3 a detached child that is refused at the other side ends nothing here", () => {
    bench.trigger();
    bench.report(child("c", true));
    bench.sent[0]?.done({ type: "refused", error: { name: "Error", message: "not served" } });
    expect(readJournal(bench.host.state).map(({ type }) => type)).toEqual(["child.started"]);
    expect(bench.header.outbox.count).toBe(0);
  });

  test("CHILD1 a child whose name is no plain text gets an id that is, and the same start twice is one child", () => {
    bench.trigger();
    bench.report(child("ü b"));
    bench.report(child("ü b"));
    expect(bench.sent.map(({ to }) => to)).toEqual([expect.stringMatching(/^child\.[\w-]+$/)]);
  });

  test("CHILD2 a failure's code and data reach the parent", () => {
    bench.trigger({ parent: { runId: "p", op: "run/0/r", detached: false }, triggeredBy: "parent" });
    bench.report(failed());
    const other = new Bench();
    other.trigger({ parent: { runId: "p", op: "run/0/r", detached: false }, triggeredBy: "parent" });
    other.report(failed({ error: { name: "Error", message: "no", code: "E" } }));
    expect(other.sent[0]).toMatchObject({ message: { outcome: { error: { code: "E" } } } });
    expect(bench.sent[0]).toMatchObject({
      to: "p",
      message: { type: "childEnded", outcome: { error: { message: "no", data: encodeValue({ at: 1 }, "data") } } },
    });
  });

  test("CHILD4 a host that cannot send keeps what it owes", () => {
    const host = new RunHost({
      store: bench.store,
      dispatcher: { workflows: () => [], start: () => ({ update: () => {}, abort: () => {} }) },
      clock: () => 1,
    });
    bench.trigger({ parent: { runId: "p", op: "run/0/r", detached: false } });
    host.handle({ type: "cancel" });
    expect(host.state.header).toMatchObject({ status: "cancelled", outbox: { count: 1 } });
  });
});

describe("what is repeated", () => {
  test("E2 what one report says of one operation is taken in its order, its outcome once", () => {
    bench.trigger();
    const started: ExecutionEvent = { type: "step.started", op: "step/0/a", nth: 1, startedAt: 0 };
    bench.report(started, completed("a"), completed("a", { value: "[2]" }));
    expect(readJournal(bench.host.state)).toMatchObject([
      { type: "step.started" },
      { type: "step.completed", value: "[1]" },
    ]);
  });

  test("DUR6 an execution of an earlier epoch is refused, whatever it says and whatever becomes of it", () => {
    const ports: ExecutionPort[] = [];
    const host = new RunHost({
      store: bench.store,
      clock: () => bench.now,
      dispatcher: {
        workflows: () => [],
        start: (_start, port) => {
          ports.push(port);
          return { update: () => {}, abort: () => {} };
        },
      },
    });
    host.handle(bench.newTrigger());
    ports[0]?.lost({ name: "Error", message: "gone" });
    bench.now += 60_000;
    host.handle({ type: "alarm" });
    expect([ports.length, host.state.header?.epoch]).toEqual([2, 2]);
    expect(ports[0]?.report({ epoch: 1, asked: 0, events: [] })).toEqual({ accepted: false, reason: "superseded" });
    const before = bench.store.dump();
    ports[0]?.lost({ name: "Error", message: "gone again" });
    expect(bench.store.dump()).toEqual(before);
  });

  test("META1 a change that is told twice counts once", () => {
    bench.trigger();
    const change: ExecutionEvent = {
      type: "metadata.changed",
      op: "metadata/0/n",
      nth: 1,
      change: { type: "increment", key: "n", by: 1 },
    };
    bench.report(change);
    bench.report(change);
    expect(bench.header.metadata).toEqual([["n", "[1]"]]);
  });

  test("WAIT7 a token of a run that has ended is refused as such", () => {
    bench.trigger();
    bench.report({ type: "wait.opened", op: "token/0/token", nth: 1, tokenId: "t" });
    bench.report({ type: "run.completed", output: "[1]" });
    expect(bench.host.handle({ type: "resolveToken", tokenId: "t", payload: "[1]" })).toMatchObject({
      code: "run_terminal",
    });
  });

  test("RUN2 the same run resumed another way is refused", () => {
    const inherited = { parentRunId: "p", number: 2, entries: [], outcomes: [] };
    bench.trigger({ inherited: { ...inherited, step: "a" } });
    const again = bench.host.handle({
      ...bench.newTrigger(),
      inherited: { ...inherited, step: "b" },
    });
    expect(again).toMatchObject({ code: "idempotency_conflict" });
    const other = bench.host.handle({ ...bench.newTrigger(), inherited: { ...inherited, parentRunId: "q" } });
    expect(other).toMatchObject({ code: "idempotency_conflict" });
    const none = bench.host.handle(bench.newTrigger());
    expect(none).toMatchObject({ code: "idempotency_conflict" });
  });
});

describe("resume", () => {
  test("RES1 a run without steps has no step to resume from, and says so", () => {
    bench.trigger();
    bench.report({ type: "run.completed", output: "[1]" });
    const request = { resumeFromStep: "a", seedResults: [] };
    expect(planResume(bench.header, [], request)).toMatchObject({
      code: "unknown_step",
      message: 'The run has no step "a". Its steps are: none.',
    });
  });

  test("RES2 a seeded result keeps its place, and what it says of undoing", () => {
    bench.trigger();
    bench.report(completed("a", { compensable: true, quiet: true }));
    bench.report(completed("b"));
    bench.report(failed({ step: "step/0/c" }));
    const journal = readJournal(bench.host.state);
    const plan = planResume(bench.header, journal, {
      resumeFromStep: undefined,
      seedResults: [
        ["a", encodeValue(2, "a")],
        ["b", encodeValue(3, "b")],
      ],
    });
    expect(JSON.stringify(plan)).toContain('"compensable":true');
    expect(JSON.stringify(plan)).toContain('"quiet":true');
  });
});

describe("operators", () => {
  test("CAN4 a run that was paused before its start begins when it is unpaused behind it", () => {
    bench.trigger({ delayMs: 1_000 });
    bench.host.handle({ type: "pause" });
    bench.now += 2_000;
    bench.host.handle({ type: "unpause" });
    expect(bench.header.status).toBe("running");
    const waiting = new Bench();
    waiting.trigger({ delayMs: 1_000 });
    waiting.host.handle({ type: "pause" });
    waiting.host.handle({ type: "unpause" });
    expect(waiting.header.status).toBe("pending");
  });

  test("COMP3 a request to undo that is paused by code that does not fit, and given up, ends without an error of its own", () => {
    bench.trigger();
    bench.report(completed("a", { compensable: true }));
    bench.report({
      type: "run.unwinding",
      op: "unwind/0/run",
      nth: 2,
      cause: "request",
      error: { name: "Error", message: "asked", code: "COMPENSATED" },
    });
    bench.report({ type: "run.diverged", error: { name: "Error", message: "code", code: "NON_DETERMINISM" } });
    bench.host.handle({ type: "cancel" });
    expect(bench.header).toMatchObject({ status: "compensation_failed", uncompensated: [{ op: "step/0/a" }] });
    expect(bench.header.error).toBeUndefined();
  });
});

describe("trouble", () => {
  test("DUR5 a commit that fails when the executor is lost is told, and the alarm stays", () => {
    const store = new MemoryStore();
    const errors: unknown[] = [];
    let lose: () => void = () => {};
    const host = new RunHost({
      store,
      clock: () => 1_000,
      onError: (error) => errors.push(error),
      dispatcher: {
        workflows: () => [],
        start: (_start, port) => {
          lose = () => port.lost({ name: "Error", message: "gone" });
          return { update: () => {}, abort: () => {} };
        },
      },
    });
    host.handle({ ...bench.newTrigger() });
    const { alarm } = store;
    store.beforeCommit = () => {
      throw new Error("the disk is full");
    };
    lose();
    expect(errors).toEqual([new Error("the disk is full")]);
    expect(store.alarm).toBe(alarm);
  });

  test("RUN3 a wait that chooses shows what it chooses by", () => {
    bench.trigger();
    bench.report({ type: "wait.opened", op: "event/0/e", nth: 1, match: encodeValue({ a: 1 }, "match") });
    bench.report({ type: "wait.opened", op: "event/1/e", nth: 2 });
    const record = describeRun(bench.header, "[1]", [], [], () => 0);
    expect(record.pendingWaitpoints).toMatchObject([
      { meta: { eventType: "e", match: { a: 1 } } },
      { meta: { eventType: "e" } },
    ]);
  });
});
