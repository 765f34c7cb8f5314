/**
 * The store suite: the behaviour of every implementation of the store port (S1, S2, S3).
 *
 * Owns: the tests. Register it from a test file: `storeContract("in memory", open)`.
 */
import type { RunStore, WriteBatch } from "@holdfast/orchestrator";
import { LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";

/** A store that starts empty. */
export interface StoreUnderTest {
  /** Calls `fn` with the store, in a context in which the store may be used. */
  use<T>(fn: (store: RunStore) => T): Promise<T>;
  /** Drops everything that is only in memory. */
  reopen(): Promise<void>;
  alarm(): Promise<number | null>;
  close?(): Promise<void>;
}

const IN_A_YEAR = Date.UTC(2030, 0, 1);

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const check = (title: string, body: (store: StoreUnderTest) => Promise<void>): void =>
    test(`${title} (${name})`, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close?.();
      }
    });

  check("DUR4 committed rows are read back immediately and after a restart", async (store) => {
    const row = { v: 1, text: "a", list: [1, { deep: true }] };
    expect(
      await store.use((one) => {
        one.commit(batch({ record: row }));
        return one.get("record");
      }),
    ).toEqual(row);
    await store.reopen();
    expect(await store.use((one) => one.get("record"))).toEqual(row);
    expect(await store.use((one) => one.get("nothing"))).toBeUndefined();
  });

  check("REP2 rows are listed in key order, after any key, in both directions and with a limit", async (store) => {
    await store.use((one) =>
      one.commit(
        batch({ "journal/0000000002": { n: 2 }, "journal/0000000010": { n: 10 }, "journal/0000000001": { n: 1 } }),
      ),
    );
    await store.use((one) => one.commit(batch({ "inbox/0000000001": { n: 0 }, record: { n: -1 } })));
    const list = (options?: Parameters<RunStore["list"]>[1]): Promise<unknown[]> =>
      store.use((one) => [...one.list("journal/", options)].map(([, row]) => (row as { n: number }).n));
    expect(await list()).toEqual([1, 2, 10]);
    expect(await list({ after: "journal/0000000001" })).toEqual([2, 10]);
    expect(await list({ limit: 2 })).toEqual([1, 2]);
    expect(await list({ reverse: true, limit: 1 })).toEqual([10]);
    await store.reopen();
    expect(await list()).toEqual([1, 2, 10]);
  });

  check("DUR4 one commit replaces and deletes rows atomically", async (store) => {
    await store.use((one) => one.commit(batch({ record: { n: 1 }, "inbox/0000000001": { n: 1 } })));
    await store.use((one) =>
      one.commit({ puts: new Map([["record", { n: 2 }]]), deletes: new Set(["inbox/0000000001"]) }),
    );
    await store.reopen();
    expect(await store.use((one) => [one.get("record"), [...one.list("inbox/")]])).toEqual([{ n: 2 }, []]);
  });

  check("DUR4 a commit that cannot be stored changes no row", async (store) => {
    await store.use((one) => one.commit(batch({ record: { n: 1 } })));
    const unstorable = { record: { n: 2 }, "journal/0000000001": { bad: () => 1 } };
    await store.use((one) => expect(() => one.commit(batch(unstorable))).toThrow());
    await store.reopen();
    expect(await store.use((one) => [one.get("record"), [...one.list("journal/")]])).toEqual([{ n: 1 }, []]);
  });

  check("DUR5 a commit sets, moves or removes the alarm together with its rows", async (store) => {
    await store.use((one) => one.commit({ ...batch({ record: { n: 1 } }), alarm: IN_A_YEAR }));
    expect(await store.alarm()).toBe(IN_A_YEAR);
    await store.use((one) => one.commit(batch({ record: { n: 2 } })));
    expect(await store.alarm()).toBe(IN_A_YEAR);
    await store.use((one) => one.commit({ ...batch({}), alarm: IN_A_YEAR + 1 }));
    expect(await store.alarm()).toBe(IN_A_YEAR + 1);
    await store.use((one) => one.commit({ ...batch({ record: { n: 3 } }), alarm: null }));
    expect(await store.alarm()).toBeNull();
  });

  check(
    "STEP5 rows of the largest allowed value are stored completely, replaced by small rows and deleted",
    async (store) => {
      const text = "ü".repeat(LIMITS.valueChars);
      await store.use((one) => one.commit(batch({ record: { text }, "journal/0000000001": { text } })));
      await store.reopen();
      const lengths = (): Promise<unknown> =>
        store.use((one) =>
          [one.get("record"), ...[...one.list("journal/")].map(([, row]) => row)].map(
            (row) => (row as { text: string }).text === text,
          ),
        );
      expect(await lengths()).toEqual([true, true]);
      await store.use((one) =>
        one.commit({ puts: new Map([["record", { text: "small" }]]), deletes: new Set(["journal/0000000001"]) }),
      );
      await store.reopen();
      expect(await store.use((one) => [one.get("record"), [...one.list("")].length])).toEqual([{ text: "small" }, 1]);
    },
  );

  check("RUN8 every name is a separate key", async (store) => {
    const names = ["__proto__", "constructor", "ü 🎉", "a/b", "%2f", "part/0/record"];
    await store.use((one) => one.commit(batch(Object.fromEntries(names.map((key, n) => [`token/${key}`, { n }])))));
    await store.reopen();
    expect(await store.use((one) => names.map((key) => one.get(`token/${key}`)))).toEqual(names.map((_, n) => ({ n })));
  });
}

function batch(puts: Record<string, object>): WriteBatch {
  return { puts: new Map(Object.entries(puts)), deletes: new Set() };
}
