/** What belongs to a deleted run and arrives late does not reach the run that has its id and its object now. */
import { errorValue } from "@holdfast/protocol";
import { expect, test } from "vitest";
import type { RunHost } from "../src/index.ts";
import { Bench, child, completed, hostWithPorts } from "./bench.ts";

/** Deletes the run of the object, as an adapter does, and creates another one. */
function createAgain(bench: Bench, host: RunHost = bench.host): void {
  const { header } = host.state;
  expect(host.handle({ type: "delete" })).toEqual({ type: "done" });
  bench.store.clear();
  if (header !== undefined) host.erased(header);
  host.handle(bench.newTrigger());
}

test("CHILD4 a late acknowledgement of a deleted run settles no message of the next run", () => {
  const bench = new Bench();
  bench.trigger();
  bench.report(child("a", true));
  bench.alarm();
  const [late, second] = bench.sent;
  second?.done({ type: "acknowledged" });
  bench.report({ type: "run.completed", output: "-1" });
  createAgain(bench);
  bench.report(child("b", true));
  expect([bench.header.outbox.count, bench.sent.length]).toEqual([1, 3]);
  late?.done({ type: "acknowledged" });
  expect([bench.header.outbox.count, [...bench.store.list("outbox/")].length]).toEqual([1, 1]);
  bench.sent[2]?.done({ type: "acknowledged" });
  expect(bench.header.outbox.count).toBe(0);
});

test("DUR6 an execution of a deleted run cannot report to the next run, although both have epoch 1", () => {
  const bench = new Bench();
  const { host, ports } = hostWithPorts(bench);
  host.handle(bench.newTrigger());
  host.handle({ type: "terminate", reason: "x" });
  createAgain(bench, host);
  expect([ports.length, host.state.header?.epoch]).toEqual([2, 1]);
  const before = bench.store.dump();
  const events = [{ type: "run.completed", output: "[1]" }] as const;
  expect(ports[0]?.report({ epoch: 1, asked: 0, events })).toEqual({ accepted: false, reason: "superseded" });
  ports[0]?.lost(errorValue("DISPATCH_FAILED", "late"));
  expect(bench.store.dump()).toEqual(before);
  expect(ports[1]?.report({ epoch: 1, asked: 0, events })).toMatchObject({ accepted: true });
});

test("IDX2 a late acknowledgement of the index for a deleted run does not count for the next run", () => {
  const bench = new Bench();
  bench.indexRows = [];
  bench.host = bench.newHost();
  bench.trigger();
  const [late] = bench.indexRows;
  bench.host.handle({ type: "terminate", reason: "x" });
  bench.indexRows.at(-1)?.done(true);
  createAgain(bench);
  bench.host.handle({ type: "terminate", reason: "x" });
  expect(bench.header.index?.owed).toBeDefined();
  const { version } = bench.header.index ?? {};
  late?.done(true);
  for (const { row, done } of bench.indexRows.slice(0, 2)) if (row.version === version) done(true);
  expect(bench.header.index?.owed).toBeDefined();
});

test("SEC2 a command that changes nothing is not recorded in the audit, and each other command once", () => {
  const bench = new Bench();
  bench.trigger();
  bench.report(completed("a", { compensable: true }));
  const deliver = { type: "deliver", kind: "signal", name: "s", payload: "[1]", deliveryId: "d", by: "ada" } as const;
  const note = { type: "noteResumed", runId: "r2", by: "ada" } as const;
  for (const input of [deliver, deliver, note, note]) bench.host.handle(input);
  for (let repeated = 0; repeated < 3; repeated++) bench.host.handle({ type: "cancel", by: "ada" });
  const actions = [...bench.store.list("audit/")].map(([, row]) => (row as { action: string }).action);
  expect(actions).toEqual(["deliver", "noteResumed", "cancel"]);
});
