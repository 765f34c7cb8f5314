/** tests: the rows that a topic reads */
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test, vi } from "vitest";
import { CoordinatorHost, type SendResult, topicMachine } from "../src/index.ts";

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

test("EVT10 an event for 1,000 subscribers writes two rows and sends one request for each, 50 at a time", async () => {
  const store = new MemoryStore();
  let [now, inFlight, most, delivered] = [1_000, 0, 0, 0];
  const self = { kind: "topic" as const, name: "tick\u0002k" };
  const send = (_to: object, message: { n?: number }, done: (result: SendResult) => void): void => {
    most = Math.max(most, ++inFlight);
    setImmediate(() => {
      inFlight -= 1;
      delivered += 1;
      done({ type: "acknowledged", answer: { type: "waiting", cursor: message.n } });
    });
  };
  const options = { self, store, clock: () => now, held: false, send, erase: () => {} };
  const host = new CoordinatorHost({ ...options, machine: topicMachine });
  const COUNT = 1_000;
  for (let n = 0; n < COUNT; n++)
    host.receive({ type: "subscribe", run: { runId: `r-${n}`, incarnation: "i", seq: 1 }, since: ++now });
  const subscribed = store.counts.rowsWritten;
  const event = { id: "e", name: "tick", data: "1", receivedAt: ++now };
  host.receive({ type: "append", event, keepMs: 60_000 });
  await vi.waitFor(() => expect(delivered).toBe(COUNT), { timeout: 50_000, interval: 20 });
  const rows = { subscribe: subscribed / COUNT, deliver: (store.counts.rowsWritten - subscribed) / COUNT };
  // The event and the header, once; the cursor of each subscriber, and the header.
  expect({ rows, most, delivered }).toEqual({
    rows: { subscribe: 2, deliver: 2 + 2 / COUNT },
    most: 50,
    delivered: COUNT,
  });
}, 180_000);
