import {
  ENCODED_UNDEFINED,
  type ExecutionEvent,
  DEFAULT_LIMITS,
  LIMITS,
  errorValue,
  limitsFrom,
  readAddress,
  toStoredAddress,
} from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { type Input, type RunMessage, readJournal } from "../src/index.ts";
import { Bench, child } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.trigger();
});

describe("the outbox", () => {
  test("CHILD4 DUR14 an undelivered start is sent again, after growing delays, until it is acknowledged, and stays until the child ends", () => {
    bench.report(child("a"));
    const gaps: number[] = [];
    for (let i = 0; i < 10; i++) {
      bench.sent.at(-1)?.done({ type: "unreachable" });
      const before = bench.now;
      while (bench.sent.length < i + 2) bench.alarm();
      gaps.push(bench.now - before);
    }
    expect(gaps).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000]);
    bench.sent.at(-1)?.done({ type: "acknowledged" });
    expect(bench.header.outbox).toMatchObject({ count: 0, failures: 0 });
    expect([...bench.store.list("outbox/")]).toHaveLength(1);
    // Older code would count and send it again (VER4).
    expect(bench.header.uses).toContain("acknowledged starts");
    bench.host = bench.newHost();
    bench.alarm();
    expect(bench.sent).toHaveLength(11);
    const [{ op, runId = "" } = { op: "run/0/a" as const }] = bench.header.waits;
    bench.host.handle({ type: "childEnded", op, outcome: { status: "completed", runId, output: "[1]" }, start: 1 });
    expect([bench.header.outbox.count, ...bench.store.list("outbox/")]).toEqual([0]);
  });

  test.each(["sent", "childEnded"] as const)(
    "AS3 CHILD4 a start that was acknowledged counts once, if the time budget ends its wait before a late message: %s",
    (type) => {
      bench = new Bench();
      bench.trigger({ timeoutMs: 1_000 });
      bench.report(child("a"));
      bench.sent[0]?.done({ type: "acknowledged" });
      const [{ op, runId = "", start = 0 } = { op: "run/0/a" as const }] = bench.header.waits;
      const [[key] = [""]] = bench.store.list("outbox/");
      bench.now += 2_000;
      bench.host.handle(
        type === "sent"
          ? { type, key, result: { type: "acknowledged" } }
          : { type, op, outcome: { status: "completed", runId, output: "[1]" }, start },
      );
      const rows = [...bench.store.list("outbox/")];
      const acknowledged = bench.header.waits.filter((wait) => wait.start !== undefined);
      expect(bench.header.outbox.count).toBe(rows.length - acknowledged.length);
    },
  );

  test("CHILD4 messages to one run are sent sequentially, in order, and a repeated acknowledgement is ignored", () => {
    bench.report(child("a"), child("b"));
    bench.host.handle({ type: "cancel" });
    expect(bench.sent.map(({ message }) => message.type)).toEqual(["trigger", "trigger"]);
    bench.sent[0]?.done({ type: "acknowledged" });
    bench.sent[0]?.done({ type: "acknowledged" });
    expect(bench.sent.map(({ message }) => message.type)).toEqual(["trigger", "trigger", "cancel"]);
    bench.sent[2]?.done({ type: "refused", error: errorValue("CANCELLED", "ended already") });
    bench.sent[1]?.done({ type: "acknowledged" });
    bench.sent[3]?.done({ type: "acknowledged" });
    expect(bench.header.outbox).toMatchObject({ count: 0 });
    expect(bench.header.outbox.retryAt).toBeUndefined();
  });

  test("CHILD4 a message that was pending before a crash is sent after it", () => {
    bench.report(child("a"));
    bench.host = bench.newHost();
    bench.alarm();
    expect(bench.sent).toHaveLength(2);
  });

  test("CHILD4 a message without an acknowledgement is sent again, and late acknowledgements of all attempts count once", () => {
    bench.report(child("a"), child("b"));
    bench.alarm();
    expect(bench.sent).toHaveLength(4);
    for (const { done } of bench.sent) done({ type: "acknowledged" });
    expect(bench.header.outbox.count).toBe(0);
    expect(bench.sent).toHaveLength(4);
  });

  test("VER1 the address of a run is stored without a kind, and other addresses are stored with their kind", () => {
    expect(readAddress("r")).toEqual({ kind: "run", name: "r" });
    for (const address of [{ kind: "run", name: "r" } as const, { kind: "gate", name: "g" } as const])
      expect(readAddress(toStoredAddress(address))).toEqual(address);
    bench.report(child("a"));
    expect([...bench.store.list("outbox/")]).toMatchObject([["outbox/0000000001", { to: bench.sent[0]?.to }]]);
  });

  test("CHILD2 CAN6 DUR5 a child that is rejected finally ends its wait: at once, or after a pause, also of a run that has lost its execution meanwhile", () => {
    bench.report(child("a"), { type: "parked", seq: 1, now: 1_000_000_000 });
    expect(bench.header.status).toBe("waiting");
    bench.sent[0]?.done({ type: "refused", error: errorValue("WORKFLOW_NOT_FOUND", "not served") });
    expect(bench.header).toMatchObject({ status: "running", waits: [] });
    bench.report(child("b"), { type: "parked", seq: 3, now: 1_000_000_000 });
    bench.host.handle({ type: "pause" });
    bench.host = bench.newHost();
    bench.alarm();
    bench.sent[2]?.done({ type: "refused", error: errorValue("WORKFLOW_NOT_FOUND", "not served") });
    expect(bench.header).toMatchObject({ status: "paused", outbox: { count: 0 }, waits: [{ op: "run/0/b" }] });
    expect(bench.host.handle({ type: "unpause" })).toEqual({ type: "done" });
    expect(bench.header).toMatchObject({ status: "running", epoch: 2, waits: [], inbox: { count: 0 } });
    expect(readJournal(bench.host.state).at(-1)).toMatchObject({ type: "child.ended", op: "run/0/b" });
  });

  test.each(["paused", "waiting"] as const)(
    "VER1 CAN4 DUR5 a run that earlier code left %s with the rejection of a child in its journal, and no wait, executes after an unpause",
    (status) => {
      bench.report(child("a"), { type: "parked", seq: 1, now: 1_000_000_000 });
      bench.sent[0]?.done({ type: "refused", error: errorValue("WORKFLOW_NOT_FOUND", "not served") });
      const { watchdogAt: _, ...header } = bench.header;
      const paused = { from: "waiting", at: bench.now, by: "operator" };
      const record = { ...header, v: 1, status, ...(status === "paused" ? { paused } : {}) };
      bench.store.commit({ puts: new Map([["record", record]]), deletes: new Set(), alarm: null });
      bench.host = bench.newHost();
      if (status === "waiting") bench.host.handle({ type: "pause" });
      expect(bench.header).toMatchObject({ status: "paused", epoch: 1, waits: [] });
      expect(bench.host.handle({ type: "unpause" })).toEqual({ type: "done" });
      expect(bench.header).toMatchObject({ status: "running", epoch: 2, watchdogAt: expect.any(Number) });
      // A live execution that parks again without a wait awaits a promise of its own: it is not woken.
      bench.report({ type: "parked", seq: 99, now: 1_000_000_000 });
      bench.host.handle({ type: "pause" });
      bench.host.handle({ type: "unpause" });
      expect(bench.header).toMatchObject({ status: "waiting", epoch: 2 });
    },
  );

  test("CHILD4 a commit that fails while an acknowledgement arrives is reported, and the message is sent again", () => {
    bench.report(child("a"));
    bench.store.beforeCommit = () => {
      throw new Error("disk full");
    };
    bench.sent[0]?.done({ type: "acknowledged" });
    expect(bench.errors).toHaveLength(1);
    bench.store.beforeCommit = () => {};
    bench.alarm();
    expect(bench.sent).toHaveLength(2);
  });

  test("VER3 a run with pending messages is not deleted", () => {
    bench.report(child("a", true));
    bench.report({ type: "run.completed", output: "-1" });
    expect(bench.host.handle({ type: "delete" })).toMatchObject({
      code: "run_not_ended",
      message: expect.stringContaining("pending messages"),
    });
    expect(bench.store.alarm).not.toBeNull();
    bench.sent[0]?.done({ type: "acknowledged" });
    expect(bench.host.handle({ type: "delete" })).toEqual({ type: "done" });
  });
});

describe("received messages", () => {
  test("CHILD1 a repeated trigger of a parent is acknowledged, and a trigger with another input is rejected", () => {
    const trigger = (input: string): RunMessage => ({
      type: "trigger",
      op: "run/0/w",
      trigger: { runId: "r", workflowId: "w", input, tags: [], environment: "test", triggeredBy: "parent" },
    });
    expect(bench.host.receive(trigger(ENCODED_UNDEFINED), "1".repeat(32))).toEqual({ type: "acknowledged" });
    expect(bench.host.receive(trigger("[2]"), "1".repeat(32))).toMatchObject({
      type: "refused",
      error: { code: "IDEMPOTENCY_CONFLICT" },
    });
  });

  test("CHILD2 the end of a child without a wait is acknowledged and changes nothing", () => {
    const before = bench.store.dump();
    const ended: RunMessage = {
      type: "childEnded",
      op: "run/0/x",
      outcome: { status: "completed", runId: "c", output: "[1]" },
    };
    expect(bench.host.receive(ended, "")).toEqual({ type: "acknowledged" });
    expect(bench.store.dump()).toEqual(before);
    bench.host.handle({ type: "cancel" });
    expect(bench.host.receive(ended, "")).toEqual({ type: "acknowledged" });
  });

  test("CAN6 the end of a child while its parent is paused is buffered once and applied afterwards", () => {
    bench.report(child("a"));
    bench.host.handle({ type: "pause" });
    const ended: RunMessage = {
      type: "childEnded",
      op: "run/0/a",
      outcome: { status: "completed", runId: bench.sent[0]?.to ?? "", output: "[1]" },
    };
    bench.host.receive(ended, "");
    bench.host.receive(ended, "");
    expect(bench.header.inbox.count).toBe(1);
    bench.host.handle({ type: "unpause" });
    expect(bench.header).toMatchObject({ status: "running", waits: [], inbox: { count: 0 } });
  });
});

describe("limits", () => {
  const failure = (): unknown => bench.header.error?.code;

  test("LIM1 a run that opens too many waits ends with LIMIT_EXCEEDED", () => {
    const waits = Array.from({ length: DEFAULT_LIMITS.openWaits + 1 }, (_, i): ExecutionEvent => ({
      type: "wait.opened",
      op: `signal/${i}/s`,
      nth: i + 1,
    }));
    bench.report(...waits);
    expect([bench.header.status, failure()]).toEqual(["failed", "LIMIT_EXCEEDED"]);
  });

  test("LIM1 a child over the limit of open children fails with LIMIT_EXCEEDED", () => {
    bench.report(...Array.from({ length: DEFAULT_LIMITS.openChildren + 1 }, (_, i) => child(`c${i}`)));
    const last = [...bench.store.list("journal/")].at(-1)?.[1];
    expect(last).toMatchObject({
      type: "child.ended",
      outcome: { status: "failed", error: { code: "LIMIT_EXCEEDED" } },
    });
    expect(bench.header.waits).toHaveLength(DEFAULT_LIMITS.openChildren);
  });

  test("STR1 repeated chunks are not stored again, and a stream over its limit ends the run", () => {
    const chunks = (first: number, ...texts: string[]): ExecutionEvent => ({
      type: "stream.chunks",
      op: "stream/0/s",
      nth: 1,
      first,
      chunks: texts.map((text) => JSON.stringify([text])),
    });
    bench.report({ type: "stream.started", op: "stream/0/s", nth: 1 });
    bench.report(chunks(0, "a", "b"), chunks(2, "c"), chunks(2, "c"), chunks(9, "gap"));
    expect([...bench.store.list("chunk/")].map(([, row]) => (row as { chunks: string[] }).chunks)).toEqual([
      ['["a"]', '["b"]'],
      ['["c"]'],
    ]);
    expect(bench.host.state.openStreams.get("stream/0/s")).toEqual({ chunks: 3, chars: 15 });
    // An execution elsewhere continues the stream after the object has read its journal again.
    readJournal(bench.host.state);
    expect(bench.host.state.openStreams.get("stream/0/s")).toEqual({ chunks: 3, chars: 15 });
    bench.report({ type: "stream.chunks", op: "stream/0/unknown", nth: 2, first: 0, chunks: ["[1]"] });
    bench.host.state.openStreams.set("stream/0/s", { chunks: DEFAULT_LIMITS.streamChunks, chars: 3 });
    bench.report(chunks(DEFAULT_LIMITS.streamChunks, "one too many"));
    expect([bench.header.status, failure()]).toEqual(["failed", "LIMIT_EXCEEDED"]);
  });

  test("META1 a reported change that exceeds the limit of the metadata ends the run", () => {
    bench.report({
      type: "metadata.changed",
      op: "metadata/0/k",
      nth: 1,
      change: { type: "set", key: "k", value: JSON.stringify(["x".repeat(LIMITS.metadataChars)]) },
    });
    expect([bench.header.status, failure()]).toEqual(["failed", "LIMIT_EXCEEDED"]);
  });
});

describe("invalid and conflicting reports", () => {
  test("LIM2 events that do not apply to the run change nothing", () => {
    bench.report({ type: "run.unwound" });
    bench.report({ type: "inherited", op: "step/0/never", nth: 1 });
    expect(bench.header.status).toBe("running");
    expect([...bench.store.list("journal/")]).toEqual([]);
    const strange: Input = { type: "report", report: { epoch: 99, asked: 0, events: [] } };
    expect(bench.host.handle(strange)).toMatchObject({ answer: { accepted: false } });
  });

  test("CAN1 a run whose code ends before it receives the cancel is executed again, for its compensations", () => {
    bench.report({
      type: "step.completed",
      op: "step/0/a",
      nth: 1,
      attempt: 1,
      startedAt: 1,
      value: "[1]",
      compensable: true,
    });
    bench.host.handle({ type: "cancel" });
    expect(bench.header).toMatchObject({ status: "running", epoch: 1, unwinding: { cause: "cancel" } });
    expect(bench.report({ type: "run.completed", output: "[1]" })).toMatchObject({
      answer: { accepted: false, reason: "superseded" },
    });
    expect(bench.header).toMatchObject({ status: "running", epoch: 2 });
    bench.report({ type: "run.failed", error: errorValue("FATAL", "x") });
    expect(bench.header.epoch).toBe(3);
    bench.report({ type: "step.completed", op: "step/0/late", nth: 2, attempt: 1, startedAt: 1, value: "[1]" });
    expect([...bench.store.list("journal/")]).toHaveLength(2);
    bench.report(
      { type: "step.completed", op: "compensation/0/a", nth: 2, attempt: 1, startedAt: 1, value: "-1" },
      { type: "run.unwound" },
    );
    expect(bench.header.status).toBe("cancelled");
  });

  test("CAN4 a paused run whose execution continues without a message stays paused", () => {
    bench.report({ type: "wait.opened", op: "signal/0/s", nth: 1 }, { type: "parked", seq: 0, now: 1_000_000_000 });
    bench.host.handle({ type: "pause" });
    bench.report({ type: "unparked" });
    expect(bench.header.status).toBe("paused");
    bench.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    bench.report({ type: "wait.opened", op: "signal/1/s", nth: 2 });
    expect(bench.header.waits).toHaveLength(2);
    bench.host.handle({ type: "unpause" });
    expect(bench.header.waits.map((wait) => wait.op)).toEqual(["signal/1/s"]);
  });

  test("CAN1 a cancel does not unpause a run that an operator paused while it unwinds", () => {
    bench.report({
      type: "run.unwinding",
      op: "unwind/0/run",
      nth: 1,
      cause: "failure",
      error: errorValue("FATAL", "x"),
      step: "step/0/a",
    });
    bench.host.handle({ type: "pause" });
    expect(bench.host.handle({ type: "cancel" })).toEqual({ type: "done" });
    expect(bench.header.status).toBe("paused");
  });
});

test("VER1 an outbox row in the form from before RunIdentity starts the child that it names", () => {
  bench.trigger();
  const trigger = {
    runId: "c",
    tenantId: "acme",
    workflowId: "w",
    workflowVersion: "2",
    input: "[7]",
    tags: ["t"],
    environment: "staging",
    tenantMeta: "[1]",
    triggeredBy: "parent",
    idempotencyKey: "k",
    baseUrl: "https://api",
    traceparent: "00-1-2-01",
    parent: { runId: "r", op: "run/0/w", detached: false },
  };
  const row = { v: 1, to: "c", message: { type: "trigger", op: "run/0/w", trigger } };
  bench.store.commit({
    puts: new Map<string, object>([
      ["outbox/0000000001", JSON.parse(JSON.stringify(row))],
      ["record", { ...bench.header, outbox: { count: 1, next: 2, failures: 0, retryAt: bench.now } }],
    ]),
    deletes: new Set(),
  });
  bench.host.forget();
  bench.alarm();
  const [sent] = bench.sent;
  const receiver = new Bench();
  expect(sent?.to).toBe("c");
  expect(sent && receiver.host.receive(sent.message, "1".repeat(32))).toEqual({ type: "acknowledged" });
  const { runId, parent, input, ...attributes } = trigger;
  expect(receiver.header).toMatchObject({ id: runId, parent, input, ...attributes });
});

test("LIM1 each host has the limits of its own deployment", () => {
  const small = new Bench();
  small.limits = limitsFrom({ inboxDeliveries: 1 });
  small.host = small.newHost();
  for (const one of [bench, small]) {
    one.trigger();
    const deliver = (): unknown => one.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    expect(deliver()).toMatchObject({ delivery: "buffered" });
    expect(deliver()).toMatchObject(one === small ? { code: "inbox_full" } : { delivery: "buffered" });
  }
});

test("RES1 the parent notes a resume once, with the caller that resumed, however often the note arrives", () => {
  const resumed = new Bench();
  const inherited = { parentRunId: "r", number: 2, entries: [], outcomes: [] };
  resumed.trigger({ runId: "r2", inherited: { ...inherited, by: "ada" } });
  const [note] = resumed.sent;
  expect(note).toMatchObject({ to: "r", message: { type: "noteResumed", runId: "r2", by: "ada" } });
  for (let i = 0; i < 2; i++) if (note) bench.host.receive(note.message, "");
  expect(bench.header.resumedBy).toEqual(["r2"]);
  expect([...bench.store.list("audit/")].map(([, row]) => row)).toEqual([
    { v: 1, at: bench.now, action: "noteResumed", by: "ada", detail: "r2" },
  ]);
});
