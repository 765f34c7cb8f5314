import type { Where } from "@holdfast/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FilteredEvent, inputMapProblem, mapInput, mismatch, whereProblem } from "../src/index.ts";

const EVENT: FilteredEvent = {
  name: "order.paid",
  at: 1_700_000_000_000,
  source: "shop",
  data: { cents: 100, currency: "EUR", note: null, paid: true, tags: ["a", "b"], nested: { deep: { id: "x-1" } } },
};

const holds = (where: Where, event: FilteredEvent = EVENT): boolean => mismatch(where, event) === undefined;
const on = (condition: object): Where => ({ "data.value": condition });
const given = (value: unknown): FilteredEvent => ({ name: "n", data: { value } });

describe("filters", () => {
  test.each<[Where, boolean]>([
    [{ "data.cents": { eq: 100 } }, true],
    [{ "data.cents": { eq: "100" } }, false],
    [{ "data.cents": { gte: 100, lt: 101 } }, true],
    [{ "data.cents": { gt: 100 } }, false],
    [{ "data.cents": { gt: "1" } }, false],
    [{ "data.currency": { in: ["USD", "EUR"] } }, true],
    [{ "data.currency": { nin: ["USD"] } }, true],
    [{ "data.cents": { nin: ["USD"] } }, false],
    [{ "data.currency": { neq: "USD" } }, true],
    [{ "data.cents": { neq: "USD" } }, false],
    [{ "data.missing": { neq: "USD" } }, false],
    [{ "data.note": { exists: true } }, true],
    [{ "data.note": { eq: null } }, true],
    [{ "data.currency": { neq: null } }, true],
    [{ "data.note": { neq: "x" } }, false],
    [{ "data.missing": { exists: false } }, true],
    [{ "data.missing": { exists: true } }, false],
    [{ "data.nested.deep.id": { prefix: "x-", suffix: "1" } }, true],
    [{ "data.tags.1": { eq: "b" } }, true],
    [{ "data.tags.length": { eq: 2 } }, false],
    [{ "data.currency.length": { eq: 3 } }, false],
    [{ name: { eq: "order.paid" }, source: { prefix: "sh" }, at: { gt: 1 } }, true],
    [{ or: [{ "data.cents": { eq: 1 } }, { "data.paid": { eq: true } }] }, true],
    [{ or: [{ "data.cents": { eq: 1 } }] }, false],
    [{ and: [{ "data.cents": { eq: 100 } }, { not: { "data.cents": { eq: 1 } } }] }, true],
    [{ not: { "data.missing": { eq: 1 } } }, true],
    [{}, true],
  ])("EVT2 the filter %j holds: %s", (where, expected) => {
    expect(whereProblem(where, "where")).toBeUndefined();
    expect(holds(where)).toBe(expected);
  });

  test("EVT2 text is compared by code units, and NaN with nothing", () => {
    expect(holds(on({ gt: "Z" }), given("a"))).toBe(true);
    expect(holds(on({ lt: "ä" }), given("z"))).toBe(true);
    for (const operator of ["eq", "gt", "gte", "lt", "lte", "neq"])
      expect([operator, holds(on({ [operator]: 1 }), given(NaN))]).toEqual([operator, operator === "neq"]);
  });

  test("EVT2 a path reads own properties only: no prototype, no accessor of a class", () => {
    for (const path of ["data.__proto__", "data.constructor", "data.constructor.name", "data.toString", "data.tags.at"])
      expect([path, holds({ [path]: { exists: true } })]).toEqual([path, false]);
    const own: unknown = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
    expect(holds({ "data.__proto__.x": { eq: 1 }, "data.constructor": { eq: 2 } }, { name: "n", data: own })).toBe(
      true,
    );
    expect(holds(on({ exists: true }), { name: "n", data: new Map([["value", 1]]) })).toBe(false);
    expect(holds({ "data.value.time": { exists: true } }, given(new Date(0)))).toBe(false);
  });

  test("EVT2 a filter of random parts never throws, and a mismatch contains no value of the event", () => {
    const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null));
    const condition = fc.dictionary(fc.constantFrom("eq", "neq", "in", "nin", "gt", "lte", "exists", "prefix"), scalar);
    const path = fc.constantFrom("data.value", "data", "data.__proto__.a", "name", "at", "data.value.0");
    const { where } = fc.letrec<{ where: object }>((tie) => ({
      where: fc.oneof(
        { depthSize: "small" },
        fc.dictionary(path, condition),
        fc.record({ and: fc.array(tie("where")) }),
        fc.record({ or: fc.array(tie("where")) }),
        fc.record({ not: tie("where") }),
      ),
    }));
    fc.assert(
      fc.property(where, fc.anything(), (filter, value) => {
        whereProblem(filter, "where");
        const secret = { name: "SECRET-NAME", data: { value }, source: "SECRET-SOURCE" };
        const reason = mismatch(filter as Where, secret);
        expect(reason ?? "").not.toContain("SECRET");
        const inverse = mismatch({ not: filter as Where }, secret);
        expect([reason === undefined, inverse === undefined].filter(Boolean)).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });

  test("EVT2 a filter at the limits takes bounded time on wide and deep data", () => {
    let deep: unknown = "end";
    for (let level = 0; level < 400; level++) deep = { a: deep };
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at]));
    const list = Array.from({ length: 1_000 }, (_, at) => `value ${at}`);
    const any: Where = { or: Array.from({ length: 20 }, () => ({ [`data.deep${".a".repeat(200)}`]: { in: list } })) };
    expect(whereProblem(any, "where")).toBeUndefined();
    const started = process.cpuUsage();
    for (let turn = 0; turn < 100; turn++) expect(holds(any, { name: "n", data: { deep, wide } })).toBe(false);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(2_000);
  });
});

describe("the check of a filter", () => {
  const nested = (levels: number): Where => (levels === 0 ? { name: { eq: "n" } } : { not: nested(levels - 1) });

  test.each<[unknown, string]>([
    [[], "where: must be an object of paths"],
    [null, "where: must be an object of paths"],
    [() => true, "where: must be an object of paths"],
    [{ "data.cents": 5 }, "where.data.cents: must be an object of operators"],
    [{ "data.cents": {} }, "where.data.cents: must be an object of operators"],
    [
      { "data.cents": { like: "a%" } },
      "where.data.cents.like: is not an operator. Operators: eq exists gt gte in lt lte",
    ],
    [{ "data.cents": { gte: null } }, "where.data.cents.gte: must be a number or text"],
    [{ "data.cents": { gte: NaN } }, "where.data.cents.gte: must be a finite number"],
    [{ "data.cents": { in: [] } }, "where.data.cents.in: must be a list of values that is not empty"],
    [{ "data.cents": { in: [{}] } }, "where.data.cents.in: must be text, a number"],
    [{ "data.cents": { in: Array.from({ length: 3 }) } }, "where.data.cents.in: must be text, a number"],
    [{ "data.cents": { exists: 1 } }, "where.data.cents.exists: must be true or false"],
    [{ "data.cents": { prefix: 1 } }, "where.data.cents.prefix: must be text"],
    [{ "payload.cents": { eq: 1 } }, "where.payload.cents: the path must begin with one of name, data, at, source"],
    [{ "name.x": { eq: 1 } }, "where.name.x: only data has paths below it"],
    [{ "data..x": { eq: 1 } }, "where.data..x: must be names separated by single dots"],
    [{ or: [] }, "where.or: must be a list of filters that is not empty"],
    [{ or: [{ and: [{ "data.x": { eq: undefined } }] }] }, "where.or[0].and[0].data.x.eq: must be text, a number"],
    [nested(8), "is nested deeper than 8 levels"],
    [{ or: Array.from({ length: 40 }, () => ({ name: { eq: "n" } })) }, "the filter has more than 64 conditions"],
  ])("EVT2 refuses %j and names the place", (filter, message) => {
    expect(whereProblem(filter, "where")).toContain(message);
  });

  test("EVT2 seven levels and 64 conditions are accepted", () => {
    expect(whereProblem(nested(7), "where")).toBeUndefined();
  });

  test("EVT2 a filter that contains itself is refused", () => {
    const loop: { not?: object } = {};
    loop.not = loop;
    expect(whereProblem(loop, "where")).toContain("deeper than 8 levels");
  });
});

describe("the input of a run", () => {
  const event = { ...EVENT, id: "e-1", key: "o-1" };

  test("EVT2 is the data, the value at a path, or an object of paths without the missing ones", () => {
    expect(mapInput(undefined, event)).toBe(event.data);
    expect(mapInput("data.nested.deep", event)).toEqual({ id: "x-1" });
    expect(mapInput("data.missing", event)).toBeUndefined();
    const map = { id: "id", key: "key", order: { cents: "data.cents", missing: "data.missing" }, all: "data" };
    expect(inputMapProblem(map, "input")).toBeUndefined();
    expect(mapInput(map, event)).toEqual({ id: "e-1", key: "o-1", order: { cents: 100 }, all: event.data });
  });

  test.each<[unknown, string]>([
    [5, 'input: must be a path, such as "data.orderId"'],
    ["payload", "input: the path must begin with one of id, name, key, data, at, source"],
    [{ a: { b: "dat" } }, "input.a.b: the path must begin with"],
    [JSON.parse('{"__proto__":"data"}'), "input: __proto__ cannot be the name of a field"],
    [{ a: ["data"] }, "input.a: must be a path"],
  ])("EVT2 refuses the map %j and names the place", (map, message) => {
    expect(inputMapProblem(map, "input")).toContain(message);
  });
});
