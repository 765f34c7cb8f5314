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

test("S3 pages of rows are those of all keys in order, whatever was written and deleted between them", () => {
  const store = new MemoryStore();
  const rows = new Map<string, unknown>();
  for (let n = 0; n < 400; n++) {
    const key = `${["a/", "a", "b/", ""][n % 4]}${(n * 7919) % 97}`;
    const deleted = n % 3 === 0 ? [`${["a/", "a", "b/", ""][n % 2]}${(n * 31) % 97}`] : [];
    store.commit({ puts: new Map([[key, { n }]]), deletes: new Set(deleted) });
    for (const one of deleted) rows.delete(one);
    rows.set(key, { n });
    const prefix = ["", "a/", "a", "b/", "c"][n % 5] ?? "";
    const after = n % 2 === 0 ? {} : { after: `${prefix}${n % 50}` };
    const reverse = n % 7 === 0;
    const all = [...rows.keys()].filter((one) => one.startsWith(prefix) && one > (after.after ?? "")).toSorted();
    if (reverse) all.reverse();
    const listed = [...store.list(prefix, { ...after, limit: 5, reverse })];
    expect(listed).toEqual(all.slice(0, 5).map((one) => [one, rows.get(one)]));
  }
});
