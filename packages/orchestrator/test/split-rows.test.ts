/** tests: rows in parts over a storage that limits the size of a value */
import { expect, test } from "vitest";
import { FIRST_PARTS, SplitRows, isWrittenOnce } from "../src/index.ts";

function open(partChars: number): { readonly values: Map<string, unknown>; readonly rows: SplitRows } {
  const values = new Map<string, unknown>();
  const store = {
    get: (key: string) => values.get(key),
    put: (key: string, value: unknown) => values.set(key, value),
    delete: (key: string) => values.delete(key),
  };
  return { values, rows: new SplitRows(store, { partChars: () => partChars, isWrittenOnce }) };
}

test("SR1 a row of any size is read as it was written, at every size of a part", () => {
  const row = { v: 1, text: "é😀\u0000".repeat(7), list: [null, { deep: "x".repeat(30) }] };
  for (let partChars = 1; partChars < 80; partChars++) {
    const { values, rows } = open(partChars);
    rows.put("record", row);
    expect(rows.join("record", values.get("record"))).toEqual(row);
    for (const [key, value] of values)
      if (key !== "record") expect(String(value).length).toBeLessThanOrEqual(partChars);
  }
});

test.each(["record", "token/t", "outbox/1", "wait/1", "audit/1", "inbox/1"])(
  "SR1 a smaller row in place of a large one leaves no part of it: %s",
  (key) => {
    const { values, rows } = open(10);
    rows.put(key, { text: "x".repeat(60) });
    expect(values.has(FIRST_PARTS + key)).toBe(true);
    rows.put(key, { text: "x".repeat(20) });
    expect([...values.keys()].toSorted()).toEqual(
      [`part/0/${key}`, `part/1/${key}`, `part/2/${key}`, `part/3/${key}`, key].toSorted(),
    );
    rows.put(key, { text: "y" });
    expect([...values]).toEqual([[key, { text: "y" }]]);
  },
);

test("SR1 the parts of a row leave with it", () => {
  const { values, rows } = open(5);
  rows.put("journal/1", { text: "x".repeat(60) });
  rows.delete("journal/1");
  expect(values.size).toBe(0);
});
