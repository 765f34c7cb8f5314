import { describe, expect, test } from "vitest";
import {
  changeMetadata,
  decodeValue,
  encodeValue,
  matchesPattern,
  metadataFits,
  LIMITS,
  type Metadata,
  type MetadataChange,
} from "../src/index.ts";

describe("patterns", () => {
  test.each([
    [{}, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 2 }], d: 0 } }, true],
    [{ a: 1 }, { a: "1" }, false],
    [{ a: 1 }, {}, false],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{ a: [{ c: 2 }] }, { a: [{ c: 2, d: 3 }] }, false],
    [{ a: [{ c: 2 }] }, { a: [{ x: 2 }] }, false],
    [{ a: [{}] }, { a: [5] }, false],
    [{ toString: 1 }, {}, false],
    [{ at: new Date(1) }, { at: new Date(1) }, true],
    [{ at: new Date(1) }, { at: new Date(2) }, false],
    [5, 5, true],
    [Number.NaN, Number.NaN, true],
    [null, undefined, false],
    [{ a: 1 }, null, false],
    [{ a: 1 }, [1], false],
  ])("WAIT6 the pattern %j and the payload %j: %j", (pattern, payload, matches) => {
    expect(matchesPattern(pattern, payload)).toBe(matches);
  });
});

test("WAIT6 sparse lists are compared by their items, without visiting each empty place", () => {
  const sparse = (at: number): unknown[] => {
    const list: unknown[] = [];
    list[at] = 1;
    return list;
  };
  expect(matchesPattern(sparse(4_000_000_000), sparse(4_000_000_000))).toBe(true);
  expect(matchesPattern([sparse(4_000_000_000)], [sparse(3_999_999_999)])).toBe(false);
});

describe("metadata", () => {
  const after = (...changes: MetadataChange[]): unknown =>
    changes.reduce<Metadata>(changeMetadata, []).map(([key, value]) => [key, decodeValue(value)]);
  const value = (given: unknown): string => encodeValue(given, "x");

  test("META1 set, increment, append and remove change a key, whether it exists or not", () => {
    expect(after({ type: "set", key: "k", value: value(1) }, { type: "set", key: "k", value: value(2) })).toEqual([
      ["k", 2],
    ]);
    expect(after({ type: "increment", key: "k", by: 2 }, { type: "increment", key: "k", by: -0.5 })).toEqual([
      ["k", 1.5],
    ]);
    expect(after({ type: "set", key: "k", value: value("x") }, { type: "increment", key: "k", by: 2 })).toEqual([
      ["k", 2],
    ]);
    expect(after({ type: "append", key: "k", value: value(1) }, { type: "append", key: "k", value: value(2) })).toEqual(
      [["k", [1, 2]]],
    );
    expect(after({ type: "set", key: "k", value: value(1) }, { type: "append", key: "k", value: value(2) })).toEqual([
      ["k", [1, 2]],
    ]);
    expect(
      after({ type: "set", key: "k", value: value(1) }, { type: "remove", key: "k" }, { type: "remove", key: "none" }),
    ).toEqual([]);
  });

  test("LIM1 the keys and values of the metadata have at most LIMITS.metadataChars characters", () => {
    expect(metadataFits([["k", "x".repeat(LIMITS.metadataChars - 1)]])).toBe(true);
    expect(metadataFits([["kk", "x".repeat(LIMITS.metadataChars - 1)]])).toBe(false);
  });
});
