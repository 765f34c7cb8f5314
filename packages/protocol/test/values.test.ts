import { describe, expect, test } from "vitest";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import {
  LIMITS,
  decodeValue,
  encodeValue,
  errorToJson,
  errorValue,
  fromErrorValue,
  isSameValue,
  toErrorValue,
  toJson,
} from "../src/index.ts";

/** Values and their golden strings, for encoding and decoding (STEP5). */
const GOLDEN: [string, unknown, string][] = [
  ["undefined", undefined, "-1"],
  ["null", null, "[null]"],
  ["a number", 1.5, "[1.5]"],
  ["not a number", Number.NaN, "-3"],
  ["minus zero", -0, "-6"],
  ["a text", "ü\u2028", '["ü\\u2028"]'],
  ["an object", { a: 1, b: [true, undefined] }, '[{"a":1,"b":2},1,[3,-1],true]'],
  ["a date", new Date(0), '[["Date","1970-01-01T00:00:00.000Z"]]'],
  ["a map", new Map([["k", new Set([1])]]), '[["Map",1,2],"k",["Set",3],1]'],
  ["a big integer", 12n, '[["BigInt","12"]]'],
  ["bytes", Uint8Array.from([1, 2, 255]), '[["Uint8Array",1],["ArrayBuffer","AQL/"]]'],
  ["a URL", new URL("https://a.example/b?c"), '[["URL","https://a.example/b?c"]]'],
];

describe("the values codec", () => {
  test.each(GOLDEN)("STEP5 %s is encoded as its golden string and decoded to an equal value", (_what, value, text) => {
    expect(encodeValue(value, "it")).toBe(text);
    expect(decodeValue(text)).toEqual(value);
  });

  test("STEP5 an error is encoded with name, message, code, data and cause, without its stack", () => {
    const error = Object.assign(new TypeError("bad", { cause: new Error("why") }), { code: "X", data: { n: 1 } });
    const text = encodeValue({ error }, "it");
    expect(text).not.toContain("stack");
    const { error: back } = decodeValue(text) as { error: typeof error };
    expect(back).toBeInstanceOf(Error);
    expect([back.name, back.message, back.code, back.data, (back.cause as Error).message]).toEqual([
      "TypeError",
      "bad",
      "X",
      { n: 1 },
      "why",
    ]);
  });

  test("STEP5 a view into a larger buffer is encoded without the rest of the buffer", () => {
    const secret = new TextEncoder().encode("secret-visible-secret");
    const text = encodeValue(secret.subarray(7, 14), "it");
    expect(new TextDecoder().decode(decodeValue(text) as Uint8Array)).toBe("visible");
    expect(text.length).toBeLessThan(80);
  });

  test.each([
    ["a function", { a: { b: () => 1 } }, /it cannot be encoded at a\.b: .*function/i],
    ["a symbol", [Symbol("s")], /at \[0\]: .*symbol/i],
    ["a class instance", new Map([["k", new (class A {})()]]), /get\("k"\): .*instance of A/],
    ["a promise", { p: Promise.resolve() }, /at p:/],
    ["nesting beyond the stack", deep(200_000), /nested too deeply/],
    ["a __proto__ key", JSON.parse('{"__proto__":1}'), /__proto__/],
  ])("STEP5 %s is rejected with UNSERIALIZABLE and its path", (_what, value, message) => {
    expect(() => encodeValue(value, "it")).toThrow(
      expect.objectContaining({ code: "UNSERIALIZABLE", message: expect.stringMatching(message) }),
    );
  });

  test("STEP5 a value over the limit is rejected with TOO_LARGE and the limit", () => {
    expect(() => encodeValue("x".repeat(LIMITS.valueChars), "it")).toThrow(
      expect.objectContaining({ code: "TOO_LARGE", message: expect.stringContaining(String(LIMITS.valueChars)) }),
    );
  });

  test("STEP5 each plain value is decoded to an equal value (property)", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withDate: true,
          withMap: true,
          withSet: true,
          withBigInt: true,
          withNullPrototype: false,
          withSparseArray: false,
        }),
        (value) => {
          fc.pre(!JSON.stringify(keysOf(value)).includes("__proto__"));
          let text: string;
          try {
            text = encodeValue(value, "it");
          } catch (error) {
            // An invalid date is the only plain value that cannot be encoded.
            return (error as { code: string }).code === "UNSERIALIZABLE";
          }
          expect(decodeValue(text)).toEqual(value);
          return isSameValue(text, encodeValue(decodeValue(text), "it"));
        },
      ),
      { numRuns: 500, seed: randomSeed() },
    );
  });
});

describe("errors as data", () => {
  test("STEP3 an error keeps name, message, code and data when it is converted to plain data and back", () => {
    const error = Object.assign(new RangeError("no"), { code: 7, data: new Map([[1, 2]]) });
    const value = toErrorValue(error);
    expect(value).toMatchObject({ name: "RangeError", message: "no", code: "7" });
    const back = fromErrorValue(value) as Error & { code: string; data: unknown };
    expect([back.name, back.message, back.code, back.data]).toEqual(["RangeError", "no", 7, new Map([[1, 2]])]);
    expect(Object.keys(back)).toEqual(["code", "data"]);
    expect(fromErrorValue({ name: "E", message: "m" })).not.toHaveProperty("code");
  });

  test("STEP5 the message about a value that cannot be encoded has its path and its class, and says what to do", () => {
    class Money {
      readonly cents = 5;
    }
    const Unnamed = (() => class {})();
    for (const [value, message] of [
      [
        { order: { items: [{ price: new Money() }] } },
        "at order.items[0].price: Cannot stringify an instance of Money. Return plain data",
      ],
      [new Money(), "encoded: Cannot stringify an instance of Money."],
      [new Map([["k", new Money()]]), 'at get("k"): Cannot stringify an instance of Money.'],
      [{ a: new Unnamed() }, "at a: Cannot stringify an instance of a class."],
      [{ a: Promise.resolve(1) }, "at a: Cannot stringify a Promise or thenable: await it."],
    ] as const)
      expect(() => encodeValue(value, "The result")).toThrow(message);
  });

  test("STEP3 each thrown value becomes an error with a message", () => {
    expect(toErrorValue("text")).toMatchObject({ name: "Error", message: "text" });
    expect(toErrorValue(undefined)).toEqual({ name: "Error", message: "undefined was thrown" });
    expect(toErrorValue(Symbol("s")).message).toContain("Symbol(s)");
    expect(toErrorValue({ a: 1 })).toEqual({
      name: "Error",
      message: "an instance of Object was thrown",
      data: '[{"a":1},1]',
    });
    const plain = { message: "card declined", cents: 5 };
    expect(toErrorValue(plain)).toMatchObject({
      name: "Error",
      message: plain.message,
      data: encodeValue(plain, "it"),
    });
    expect(toErrorValue({ message: 5 }).message).toBe("an instance of Object was thrown");
    expect(toErrorValue({ name: 5, message: "like an error" })).toMatchObject({
      name: "Error",
      message: "like an error",
    });
    expect(toErrorValue(Object.assign(new Error("m"), { data: () => 1, stack: "" }))).toEqual({
      name: "Error",
      message: "m",
      stack: "",
    });
  });

  test("LIM1 a long message is cut", () => {
    const { message } = toErrorValue(new Error("x".repeat(100_000)));
    expect(message).toHaveLength(LIMITS.errorMessageChars);
    expect(message.endsWith("…")).toBe(true);
    expect(errorValue("FATAL", "short")).toEqual({ name: "HoldfastError", message: "short", code: "FATAL" });
  });
});

describe("values as JSON", () => {
  test("SEC4 each value has a form as plain JSON", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const value = {
      undef: undefined,
      list: [undefined, 1n, -Infinity],
      date: new Date(0),
      bad: new Date(Number.NaN),
      map: new Map([[1, 2]]),
      set: new Set(["a"]),
      bytes: Uint8Array.of(1),
      url: new URL("https://a.example/"),
      error: Object.assign(new Error("m"), { code: "C", data: { d: 1n } }),
      pattern: /x/g,
      cyclic,
    };
    expect(toJson(value)).toEqual({
      list: [null, "1", null],
      date: "1970-01-01T00:00:00.000Z",
      bad: null,
      map: [[1, 2]],
      set: ["a"],
      bytes: [1],
      url: "https://a.example/",
      error: { name: "Error", message: "m", code: "C", data: { d: "1" } },
      pattern: "x",
      cyclic: ["[circular]"],
    });
    expect(toJson(undefined)).toBeNull();
    expect(JSON.stringify(toJson(deep(5_000)))).toContain("nested too deeply");
    expect(errorToJson({ name: "E", message: "m", data: "[[1],5]" })).toEqual({ name: "E", message: "m", data: [5] });
    expect(errorToJson({ name: "E", message: "m" })).toEqual({ name: "E", message: "m" });
  });

  test("RUN2 values that differ only in the order of their keys are equal, and other values are not", () => {
    const same = (a: unknown, b: unknown): boolean => isSameValue(encodeValue(a, "a"), encodeValue(b, "b"));
    expect(same({ a: [{ x: 1, y: 2 }], b: 1 }, { b: 1, a: [{ y: 2, x: 1 }] })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same({ at: new Date(1) }, { at: new Date(2) })).toBe(false);
    expect(same(1, "1")).toBe(false);
  });
});

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const inner =
    value instanceof Map
      ? [...value.keys(), ...value.values()]
      : value instanceof Set
        ? [...value]
        : Object.values(value);
  return [...Object.getOwnPropertyNames(value), ...inner.flatMap(keysOf)];
}

test("STEP5 a value whose getter throws a string is rejected with that string in the message", () => {
  const hostile = Object.defineProperty({}, "a", {
    enumerable: true,
    get() {
      // oxlint-disable-next-line typescript/only-throw-error -- user code may throw any value
      throw "thrown text";
    },
  });
  expect(() => encodeValue(hostile, "The result")).toThrow("thrown text");
});
