/** tests: the rows that a topic reads */
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { CoordinatorHost, topicMachine } from "../src/index.ts";

class CountingStore extends MemoryStore {
  reads = 0;

  override *list(...given: Parameters<MemoryStore["list"]>): ReturnType<MemoryStore["list"]> {
    for (const row of super.list(...given)) {
      this.reads += 1;
      yield row;
    }
  }
}

test("EVT10 a subscription that finds no event reads no other subscriber", () => {
  const store = new CountingStore();
  let now = 1_000;
  const self = { kind: "topic" as const, name: "tick\u0002k" };
  const options = { self, store, clock: () => now, held: false, send: () => {}, erase: () => {} };
  const host = new CoordinatorHost({ ...options, machine: topicMachine });
  for (let n = 0; n < 20; n++) {
    const event = { id: `e-${n}`, name: "tick", data: "1", receivedAt: ++now };
    host.receive({ type: "append", event, keepMs: 60_000 });
  }
  const costs = Array.from({ length: 50 }, (_, n) => {
    const before = store.reads;
    const run = { runId: `r-${n}`, incarnation: "i", seq: 1 };
    expect(host.receive({ type: "subscribe", run, since: ++now })).toMatchObject({ answer: { type: "subscribed" } });
    return store.reads - before;
  });
  expect(costs).toEqual(costs.map(() => 20));
  expect(host.command({ type: "read" })).toMatchObject({ body: { events: 20, subscribers: 50 } });
});
