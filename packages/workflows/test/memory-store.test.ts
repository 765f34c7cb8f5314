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
