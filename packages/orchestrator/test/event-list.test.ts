/** tests: the list of a tenant's newest events: its order, its bound, and its rows */
import { HOST_LIMITS } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { CoordinatorHost, EVENT_LIST, type EventIds, eventList } from "../src/index.ts";

const START = Date.UTC(2027, 2, 1);

class CountingStore extends MemoryStore {
  rows = 0;

  override commit(batch: Parameters<MemoryStore["commit"]>[0]): ReturnType<MemoryStore["commit"]> {
    this.rows += batch.puts.size + batch.deletes.size;
    return super.commit(batch);
  }
}

class List {
  readonly store = new CountingStore();
  now = START + 10_000;
  readonly #host = new CoordinatorHost({
    machine: eventList,
    self: EVENT_LIST,
    store: this.store,
    clock: () => this.now,
    send: () => {},
    erase: () => {},
  });

  /** Lists an event, and returns the rows that were written for it. */
  add(n: number, name = "order.paid"): number {
    const before = this.store.rows;
    this.#host.receive({ type: "listed", id: `e-${n}`, name, receivedAt: START + n });
    return this.store.rows - before;
  }

  read(command: object = {}): EventIds {
    const reply = this.#host.command({ type: "list", count: 2, ...command });
    if (reply.type === "refused") throw new Error(reply.message);
    return reply.body as EventIds;
  }
}

test("EVT15 the newest events are first, by pages and by name, and a repeated message changes nothing", () => {
  const list = new List();
  for (const [n, name] of ["a", "b", "a", "b", "a"].entries()) list.add(n, name);
  expect(list.add(2, "a")).toBe(0);
  const first = list.read();
  expect(first.ids).toEqual(["e-4", "e-3"]);
  const second = list.read({ after: first.next });
  expect(second.ids).toEqual(["e-2", "e-1"]);
  expect(list.read({ after: second.next })).toEqual({ ids: ["e-0"] });
  expect(list.read({ name: "b" })).toEqual({ ids: ["e-3", "e-1"] });
});

test("EVT15 an event costs two rows in the list, which forgets the oldest one when it is full", () => {
  const list = new List();
  const costs = Array.from({ length: HOST_LIMITS.eventsListed }, (_, n) => list.add(n));
  expect(new Set(costs)).toEqual(new Set([2]));
  expect([list.add(5_000), list.add(5_001)]).toEqual([2, 2]);
  const { ids } = list.read({ count: HOST_LIMITS.eventsListed });
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([HOST_LIMITS.eventsListed, "e-5001", "e-2"]);
  // A late message about an old event does not take the place of a newer one.
  expect(list.add(1)).toBe(0);
  expect(list.read({ count: 2_000 }).ids).toEqual(ids);
});

describe.each([1_000, 3_600_000])("EVT15 after the clock was set back by %i ms", (ms) => {
  test.each([3, HOST_LIMITS.eventsListed])(
    "a list of %i events shows new ones first, in the order of arrival",
    (many) => {
      const list = new List();
      for (let n = 0; n < many; n++) list.add(n);
      list.now = START + many - ms;
      for (const n of [1, 2, 3]) list.add(n - ms, "new");
      // The clock has caught up.
      list.now = START + 10_000;
      list.add(9_000);
      const { ids } = list.read({ count: 5 });
      expect(ids).toEqual(["e-9000", `e-${3 - ms}`, `e-${2 - ms}`, `e-${1 - ms}`, `e-${many - 1}`]);
    },
  );

  test("a range has the events by the time at which they were received", () => {
    const list = new List();
    for (const n of [1, 2, 3]) list.add(n);
    list.now = START - ms;
    list.add(-ms);
    const range = { type: "range", name: "order.paid", from: START - ms, until: START + 2, count: 10 };
    expect(list.read(range).ids).toEqual(["e-1", `e-${-ms}`]);
  });
});
