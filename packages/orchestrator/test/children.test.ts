/** The state machine's decisions about child runs. */
import { createHash } from "node:crypto";
import { ENCODED_UNDEFINED, type ExecutionEvent, encodeValue } from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { RunHost, type RunMessage, idFromKey, readJournal } from "../src/index.ts";
import { Bench, child } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const failed = (more: object = {}): ExecutionEvent => ({
  type: "run.failed",
  error: { name: "Error", message: "no", data: encodeValue({ at: 1 }, "data") },
  ...more,
});

describe("children", () => {
  test("LIM1 a run with 10,000 unacknowledged messages starts no more children", () => {
    bench.trigger();
    const many = Array.from({ length: 10_001 }, (_, n) => child(`c${n}`, true));
    bench.report(...many);
    const last = readJournal(bench.host.state).at(-1);
    expect(last).toMatchObject({ type: "child.ended", outcome: { error: { code: "LIMIT_EXCEEDED" } } });
    expect(bench.header.outbox.count).toBe(10_000);
  });

  test("CHILD3 a detached child that its host rejects does not change the parent", () => {
    bench.trigger();
    bench.report(child("c", true));
    bench.sent[0]?.done({ type: "refused", error: { name: "Error", message: "not served" } });
    expect(readJournal(bench.host.state).map(({ type }) => type)).toEqual(["child.started"]);
    expect(bench.header.outbox.count).toBe(0);
  });

  test("CHILD1 a child whose name has other characters gets an id of plain characters, and a repeated start creates no second child", () => {
    bench.trigger();
    bench.report(child("ü b"));
    bench.report(child("ü b"));
    expect(bench.sent.map(({ to }) => to)).toEqual([expect.stringMatching(/^child\.[\w-]+$/)]);
  });

  test("CHILD2 the parent receives the code and data of a child's failure", () => {
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

  test("CHILD4 a host that cannot send keeps its messages in the outbox", () => {
    const host = new RunHost({
      store: bench.store,
      dispatcher: { workflows: () => [], start: () => ({ update: () => {}, abort: () => {} }) },
      clock: () => 1,
    });
    bench.trigger({ parent: { runId: "p", op: "run/0/r", detached: false } });
    host.handle({ type: "terminate", reason: "x" });
    expect(host.state.header).toMatchObject({ status: "cancelled", outbox: { count: 1 } });
  });
});

describe("followers", () => {
  const start = (n: number, createdAt = 1): RunMessage => ({
    type: "trigger",
    op: "run/0/w",
    trigger: {
      runId: "r",
      workflowId: "w",
      input: ENCODED_UNDEFINED,
      tags: [],
      environment: "test",
      triggeredBy: "parent",
      idempotencyKey: "k",
      parent: { runId: `p${n}`, op: "run/0/w", detached: false, start: 1, createdAt },
    },
  });

  test("LIM1 RUN2 a run has 1,000 followers; a further start is sent again, and gets the end after it", () => {
    bench.trigger({ idempotencyKey: "k" });
    for (let n = 0; n < 1_000; n++) expect(bench.host.receive(start(n), "")).toEqual({ type: "acknowledged" });
    expect(bench.host.receive(start(1_000), "")).toEqual({ type: "unreachable" });
    expect(bench.host.receive(start(7), "")).toEqual({ type: "acknowledged" });
    bench.report({ type: "run.completed", output: "[1]" });
    expect(bench.header.outbox.count).toBe(1_000);
    expect(bench.host.receive(start(1_000), "")).toEqual({ type: "acknowledged" });
    expect([bench.header.outbox.count, bench.header.followers?.length]).toEqual([1_001, 1_000]);
  });

  test("RUN2 CHILD4 DUR14 a repeated start of an ended run gets the end again, and a later run with a parent's id follows as another parent", () => {
    bench.trigger({ idempotencyKey: "k" });
    bench.host.receive(start(1), "");
    bench.report({ type: "run.completed", output: "[1]" });
    bench.host.receive(start(1), "");
    expect([bench.header.outbox.count, bench.header.followers?.length]).toEqual([2, 1]);
    bench.host.receive(start(1, 2), "");
    expect([bench.header.outbox.count, bench.header.followers?.length]).toEqual([3, 2]);
  });

  test("RUN2 the id of a key is the beginning of its SHA-256, as stored runs have it", () => {
    for (const key of ["", "K", "é".repeat(128), "\u{1f600}", "x".repeat(256)]) {
      const digest = createHash("sha256").update(key).digest("hex");
      expect(idFromKey(key)).toBe(`key-${digest.slice(0, 40)}`);
    }
  });
});
