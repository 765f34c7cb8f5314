/** tests: which commits the store in memory loses with its process */
import { expect, test } from "vitest";
import { MemoryStore } from "../src/testing/index.ts";

const batch = (key: string) => ({ puts: new Map([[key, { v: 1 }]]), deletes: new Set<string>() });

test("DUR10 a process that dies loses the commits after the newest durable one, and no other", async () => {
  const store = new MemoryStore();
  store.losesCommits = true;
  store.commit(batch("a"));
  await new Promise<void>((resolve) => {
    store.sync(() => resolve());
    store.commit(batch("b"));
  });
  expect(Object.keys(store.dump())).toEqual(["a", "b"]);
  store.restart(true);
  expect(Object.keys(store.dump())).toEqual(["a"]);
});

test("DUR10 a process that dies in the handler of an alarm loses the alarm's commit, and the alarm fires again", () => {
  const store = new MemoryStore();
  store.losesCommits = true;
  store.setAlarm(1_000);
  store.takeAlarm();
  store.commit({ ...batch("a"), alarm: null });
  store.restart(true);
  expect([store.alarm, store.dump()]).toEqual([1_000, {}]);
});

test("DUR1 an answer that waits for its commits learns whether the process died before", async () => {
  const store = new MemoryStore();
  store.losesCommits = true;
  store.commit(batch("a"));
  const first = store.durable();
  expect([await first, store.losable]).toEqual([true, 0]);
  store.commit(batch("b"));
  const second = store.durable();
  store.restart(true);
  expect(await second).toBe(false);
});
