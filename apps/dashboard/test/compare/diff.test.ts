/** The differences between two values. */
import { expect, test } from "vitest";
import { diffValues, isEqual } from "../../src/compare/diff.ts";

const paths = (a: unknown, b: unknown): string[] =>
  diffValues(a, b).differences.map(({ path, kind }) => `${kind} ${path}`);

test("LIVE8 the order of members does not count, and their places are named", () => {
  expect(paths({ a: 1, b: { c: [1, { d: 2 }] } }, { b: { c: [1, { d: 3 }] }, a: 1 })).toEqual(["changed b.c[1].d"]);
  expect(paths({ "a b": 1 }, { "c-d": 1 })).toEqual(['removed ["a b"]', 'added ["c-d"]']);
});

test("LIVE8 a member that is inserted into a list is one difference", () => {
  expect(paths([1, 2, 3, 4], [1, 9, 2, 3, 4])).toEqual(["added [1]"]);
  expect(paths([1, 2, 3, 4], [1, 3, 4])).toEqual(["removed [1]"]);
  expect(paths([], [1])).toEqual(["added [0]"]);
});

test("LIVE8 another type is a change, as null and absence are", () => {
  expect(paths({ a: 1 }, { a: "1" })).toEqual(["changed a"]);
  expect(paths({ a: null }, {})).toEqual(["removed a"]);
  expect(paths([1], { 0: 1 })).toEqual(["changed "]);
  expect(paths(1, 1)).toEqual([]);
  expect(isEqual({ a: [Number.NaN] }, { a: [Number.NaN] })).toBe(true);
});

test("LIVE8 names such as __proto__ are members like others", () => {
  expect(paths(JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}'))).toEqual(["changed __proto__"]);
});

test("LIVE8 the list of differences is bounded, and says so", () => {
  const { differences, isCut } = diffValues(Array(500).fill(0), Array(500).fill(1), 100);
  expect([differences.length, isCut]).toEqual([100, true]);
});

test("LIVE8 values of any depth are compared", () => {
  const deep = (leaf: number): unknown => JSON.parse(`${"[".repeat(2_000)}${leaf}${"]".repeat(2_000)}`);
  expect(isEqual(deep(1), deep(1))).toBe(true);
  expect(diffValues(deep(1), deep(2)).differences.length).toBe(1);
});
