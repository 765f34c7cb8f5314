/** Repeated and late reports and requests. */
import { type ExecutionEvent, errorValue } from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { readJournal } from "../src/index.ts";
import { Bench, child, completed, hostWithPorts } from "./bench.ts";

const change: ExecutionEvent = {
  type: "metadata.changed",
  op: "metadata/0/n",
  nth: 1,
  change: { type: "increment", key: "n", by: 1 },
};

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("repetitions", () => {
  test("E2 the events of one report are applied in order, each outcome once", () => {
    bench.trigger();
    const started: ExecutionEvent = { type: "step.started", op: "step/0/a", nth: 1, startedAt: 0 };
    bench.report(started, completed("a"), completed("a", { value: "[2]" }));
    expect(readJournal(bench.host.state)).toMatchObject([
      { type: "step.started" },
      { type: "step.completed", value: "[1]" },
    ]);
  });

  test("DUR6 an execution of an earlier epoch is rejected, whatever it reports", async () => {
    const { host, ports } = hostWithPorts(bench);
    host.handle(bench.newTrigger());
    ports[0]?.lost({ name: "Error", message: "gone" });
    bench.now += 60_000;
    host.handle({ type: "alarm" });
    await expect.poll(() => [ports.length, host.state.header?.epoch]).toEqual([2, 2]);
    expect(ports[0]?.report({ epoch: 1, asked: 0, events: [] })).toEqual({ accepted: false, reason: "superseded" });
    const before = bench.store.dump();
    ports[0]?.lost({ name: "Error", message: "gone again" });
    expect(bench.store.dump()).toEqual(before);
  });

  test("DUR7 DUR8 a loss that is reported twice counts once", async () => {
    const { host, ports } = hostWithPorts(bench);
    host.handle(bench.newTrigger());
    for (let times = 0; times < 3; times++) ports[0]?.lost({ name: "Error", message: "gone" });
    expect(host.state.header?.dispatch?.failures).toBe(1);
    bench.now += 60_000;
    host.handle({ type: "alarm" });
    await expect.poll(() => ports.length).toBe(2);
    for (let times = 0; times < 20; times++) ports[1]?.lost(errorValue("EXECUTOR_CRASHED", "died"));
    expect(host.state.header).toMatchObject({ status: "running", crashes: { count: 1 } });
    await expect.poll(() => ports.length).toBe(3);
    for (let times = 0; times < 20; times++) ports[2]?.lost(errorValue("EXECUTOR_CRASHED", "died"));
    expect(host.state.header).toMatchObject({ status: "running", crashes: { count: 2 }, dispatch: { failures: 2 } });
  });

  test("META1 CHILD1 what one report has twice is applied once", () => {
    bench.trigger();
    bench.report(change, child("c"), change, child("c"));
    expect(readJournal(bench.host.state).map(({ type }) => type)).toEqual(["metadata.changed", "child.started"]);
    expect([bench.header.metadata, bench.header.waits.length, bench.header.outbox.count]).toEqual([
      [["n", "[1]"]],
      1,
      1,
    ]);
  });

  test("META1 a change that is reported twice is applied once", () => {
    bench.trigger();
    bench.report(change);
    bench.report(change);
    expect(bench.header.metadata).toEqual([["n", "[1]"]]);
  });

  test("WAIT7 an answer to a token of an ended run is rejected because the run has ended", () => {
    bench.trigger();
    bench.report({ type: "wait.opened", op: "token/0/token", nth: 1, tokenId: "t" });
    bench.report({ type: "run.completed", output: "[1]" });
    expect(bench.host.handle({ type: "resolveToken", tokenId: "t", payload: "[1]" })).toMatchObject({
      code: "run_terminal",
    });
  });

  test("RUN2 a request to resume under an existing id in another way is rejected", () => {
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
