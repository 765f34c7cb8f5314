/** Values as the HTTP API shows them: plain JSON, cut at the budget, in time in proportion to what is stored (LIM1). */
import { describe, expect, test } from "vitest";
import { type ErrorValue, encodeValue, errorToJson, showValue, toErrorValue, toJson } from "../src/index.ts";

const sparse: unknown[] = [];
sparse[4_000_000_000] = 1;

describe("values in the API", () => {
  const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  test.each<[string, unknown, unknown]>([
    ["an ArrayBuffer", buffer, "AQIDBAUGBwg="],
    ["a DataView", new DataView(buffer, 1, 2), "AgM="],
    ["a Uint8Array", new Uint8Array(buffer, 0, 2), [1, 2]],
    ["a Uint8ClampedArray", new Uint8ClampedArray(buffer, 0, 1), [1]],
    ["an Int16Array", new Int16Array(buffer, 0, 1), [513]],
    ["a Float64Array", Float64Array.of(0.5, NaN), [0.5, null]],
    ["a BigInt64Array", BigInt64Array.of(-1n), ["-1"]],
    ["empty places", Object.assign([1], { 3: 2 }), [1, null, null, 2]],
    ["many empty places", sparse, ["[4000000000 empty places]", 1]],
    ["boxed values", [Object(1), Object("a"), Object(true), Object(2n)], [1, "a", true, "2"]],
    [
      "a URL, a pattern, a date",
      [new URL("https://a.b"), /x/g, new Date(0)],
      ["https://a.b/", "x", "1970-01-01T00:00:00.000Z"],
    ],
    ["an invalid date", new Date(NaN), null],
    [
      "an error",
      Object.assign(new Error("m"), { code: 7, at: 1 }),
      { name: "Error", message: "m", code: 7, fields: { at: 1 } },
    ],
  ])("LIM1 %s is shown as the documents say", (_what, value, shown) => {
    expect(toJson(value)).toEqual(shown);
    expect(showValue(encodeValue({ value }, "it"))).toEqual({ value: shown });
    expect(JSON.parse(JSON.stringify(toJson(new Map([[value, 1]]))))).toEqual([[shown, 1]]);
  });

  test.each<[string, unknown]>([
    ["a typed array", new Float64Array(2_000_000)],
    ["a buffer", new ArrayBuffer(2_000_000)],
    ["a list", Array.from({ length: 1_000_000 }, () => 1)],
    ["a set", new Set(Array.from({ length: 1_000_000 }, (_, n) => n))],
    ["a graph with many paths", Array.from({ length: 60 }).reduce<unknown>((inner) => [inner, inner], 1)],
    ["an object", Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`key ${n}`, n]))],
    [
      "holes between items",
      Object.assign([], Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [n * 99, n]))),
    ],
  ])("LIM1 %s beyond the budget is cut, and what is shown is within it", (_what, value) => {
    const budget = { chars: 1_000 };
    const text = JSON.stringify(toJson(value, budget));
    expect(text).toContain("[cut: too large to show]");
    expect(text.length).toBeLessThan(4_000);
    expect(budget.chars).toBeLessThanOrEqual(0);
    expect(toJson("next", budget)).toBe("[cut: too large to show]");
  });

  test.each<[string, (part: unknown) => unknown]>([
    ["objects", (part) => ({ a: part, b: part })],
    ["lists", (part) => [part, part]],
    ["maps", (part) => new Map([[part, part]])],
    ["errors", (part) => new AggregateError([part, part], "m")],
  ])(
    "LIM1 each stored part is converted a few times only, although a graph of %s has very many paths",
    (_what, pair) => {
      let reads = 0;
      let graph: unknown = {
        get leaf() {
          reads += 1;
          return 1;
        },
      };
      for (let level = 0; level < 60; level++) graph = pair(graph);
      const budget = { chars: 100_000 };
      expect(JSON.stringify(toJson(graph, budget)).length).toBeLessThan(200_000);
      expect(budget.chars).toBeLessThanOrEqual(0);
      expect(reads).toBeLessThan(60);
    },
  );

  test("LIM1 numbers count with all their digits", () => {
    const shown = JSON.stringify(toJson(new Float64Array(1_000).fill(1 / 3), { chars: 2_000 }));
    expect(shown.length).toBeLessThan(2_200);
  });

  test("LIM1 a part that occurs deeper again is cut at the greatest depth, and a cycle is shown at each place", () => {
    let part: unknown = "end";
    for (let level = 0; level < 150; level++) part = [part];
    let deeper: unknown = part;
    for (let level = 0; level < 100; level++) deeper = [deeper];
    const shown = JSON.stringify(toJson([part, deeper]));
    expect(shown.match(/end|nested too deeply/g)).toEqual(["end", "nested too deeply"]);
    const [x, y]: Record<string, unknown>[] = [{}, {}];
    Object.assign(x!, { y });
    Object.assign(y!, { x });
    expect(toJson([x, y])).toEqual([{ y: { x: "[circular]" } }, { x: { y: "[circular]" } }]);
  });

  test("LIM1 a stored text that does not decode is shown as [unreadable], wherever it is", () => {
    for (const text of ['[["Unknown",1],2]', "{", "", "[[1]]x", '[["Map",9]]']) {
      expect(showValue(text)).toBe("[unreadable]");
      const error: ErrorValue = { name: "E", message: "m", data: text, original: text };
      expect(errorToJson(error)).toEqual({ name: "E", message: "m", data: "[unreadable]" });
    }
  });

  test("SEC4 a stack is shown only on request, and counts against the budget", () => {
    const error = toErrorValue(new Error("m"));
    expect(errorToJson(error)).toEqual({ name: "Error", message: "m" });
    const budget = { chars: 100_000, stacks: true };
    expect(errorToJson(error, budget).stack).toMatch(/^Error: m\n +at /);
    expect(budget.chars).toBe(100_000 - (error.stack?.length ?? 0));
  });
});
