/** The state machine's decisions about child runs. */
import { type ExecutionEvent, encodeValue } from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { RunHost, readJournal } from "../src/index.ts";
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
