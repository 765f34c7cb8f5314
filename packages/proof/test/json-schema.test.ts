/** tests: the check of answers against a JSON Schema: the same verdicts as another implementation, in bounded time (ASK4) */
import { Validator } from "@cfworker/json-schema";
import { answerIssues, matchesPattern, readPattern, schemaProblem } from "@holdfast/orchestrator";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

type Schema = Parameters<typeof answerIssues>[0];

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, false, 0, 1, 2, 1.5, -1, "", "a", "ab", "2030-01-31"),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(name, tie("any"), { maxKeys: 3 }),
  ),
})).any;

const patterns = fc.constantFrom("^a", "b$", "^[ab]+$", "^(?!b)", "a|^$", "^.{2}$", "\\d{4}-\\d\\d");

const schemas = fc.letrec<{ any: Schema }>((tie) => {
  const some = tie("any");
  const map = fc.dictionary(name, some, { maxKeys: 2 });
  const list = fc.array(some, { minLength: 1, maxLength: 3 });
  const count = fc.nat(3);
  const keywords = {
    type: fc.oneof(
      fc.constantFrom("string", "number", "integer", "boolean", "object", "array", "null"),
      fc.constant(["object", "array"]),
    ),
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    const: value,
    minimum: fc.constantFrom(0, 1),
    maximum: fc.constantFrom(1, 2),
    exclusiveMinimum: fc.constantFrom(0, 1),
    exclusiveMaximum: fc.constantFrom(1, 2),
    multipleOf: fc.constantFrom(0.5, 1, 2),
    minLength: count,
    maxLength: count,
    pattern: patterns,
    required: fc.uniqueArray(name, { maxLength: 2 }),
    dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 2 }),
    dependentSchemas: map,
    minProperties: count,
    maxProperties: count,
    properties: map,
    patternProperties: fc.dictionary(fc.constantFrom("^[ab]$", "c"), some, { maxKeys: 2 }),
    additionalProperties: some,
    propertyNames: some,
    minItems: count,
    maxItems: count,
    uniqueItems: fc.boolean(),
    prefixItems: list,
    items: some,
    contains: some,
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: some,
    if: some,
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    then: some,
    else: some,
    unevaluatedProperties: some,
    unevaluatedItems: some,
    $ref: fc.constantFrom("#/$defs/a", "#/$defs/b"),
  };
  const few = fc
    .shuffledSubarray(Object.keys(keywords) as (keyof typeof keywords)[], { maxLength: 4 })
    .chain((names) => fc.record(Object.fromEntries(names.map((one) => [one, keywords[one]]))));
  return { any: fc.oneof({ maxDepth: 2 }, fc.boolean(), few, few) };
}).any;

/** A library that is tested with the suite of the standard. It bounds no time, so it only serves this comparison. */
function fitsElsewhere(schema: Schema, answer: unknown): boolean {
  return new Validator(schema, "2020-12").validate(answer).valid;
}

describe("an answer and a JSON Schema", () => {
  test("ASK4 the verdicts are those of another implementation, for random schemas and values", () => {
    let compared = 0;
    let fitting = 0;
    fc.assert(
      fc.property(schemas, schemas, schemas, value, (any, a, b, answer) => {
        const schema = typeof any === "boolean" ? any : { ...any, $defs: { a, b } };
        if (schemaProblem(schema, "schema") !== undefined) return;
        compared += 1;
        const fits = answerIssues(schema, answer).length === 0;
        fitting += fits ? 1 : 0;
        expect(fits).toBe(fitsElsewhere(schema, answer));
      }),
      { seed: randomSeed(), numRuns: 6_000 },
    );
    expect(compared).toBeGreaterThan(3_000);
    expect(fitting).toBeGreaterThan(1_000);
  });

  const cases: readonly (readonly [schema: Schema, answer: unknown, path: string, message: string])[] = [
    [{ type: "boolean" }, "perhaps", "", "must be true or false"],
    [{ type: ["integer", "null"] }, 1.5, "", "must be a whole number, or null"],
    [{ required: ["ok"] }, {}, "/ok", "is missing"],
    [{ properties: { "a/b~c": { type: "string" } } }, { "a/b~c": 1 }, "/a~1b~0c", "must be text"],
    [{ items: { minimum: 3 } }, [3, 2], "/1", "must be at least 3"],
    [{ additionalProperties: false }, { x: 1 }, "/x", "is an unknown field"],
    [{ enum: ["a", { b: 1 }] }, "c", "", 'must be one of "a", {"b":1}'],
    [{ minLength: 3 }, "ab", "", "must have at least 3 characters"],
    [{ maxLength: 1 }, "\u{1F600}\u{1F600}", "", "must have at most 1 characters"],
    [{ format: "email" }, "ann", "", "must be an e-mail address"],
    [{ format: "date" }, "2030-02-29", "", "must be a date, such as 2030-01-31"],
    [{ format: "date-time" }, "2030-02-28T10:00", "", "must be a date and a time with its zone"],
    [{ pattern: "^x" }, "yx", "", "must match the pattern ^x"],
    [{ unevaluatedProperties: false, allOf: [{ properties: { a: {} } }] }, { a: 1, b: 2 }, "/b", "is an unknown field"],
    [{ unevaluatedItems: false, prefixItems: [true] }, [1, 2], "/1", "is not allowed"],
    [{ anyOf: [{ type: "string" }, { type: "object", required: ["a"] }] }, {}, "/a", "is missing"],
    [{ oneOf: [{ type: "number" }, { minimum: 1 }] }, 2, "", "fits more than one of the alternatives"],
    [{ if: { const: 1 }, else: false }, 2, "", "is not allowed"],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "",
      "has an element twice",
    ],
    [{ multipleOf: 0.01 }, 1.135, "", "must be a multiple of 0.01"],
    [{ $ref: "#tree", $defs: { t: { $anchor: "tree", type: "object" } } }, 1, "", "must be an object"],
    [true, undefined, "", "the answer is missing"],
    [true, { at: new Date(0) }, "/at", "must be a JSON value"],
    [true, { a: [undefined] }, "/a/0", "is missing"],
  ];

  test.each(cases)("ASK4 %j and %j: the path and the message of the problem", (schema, answer, path, message) => {
    expect(schemaProblem(schema, "schema")).toBeUndefined();
    expect(answerIssues(schema, answer)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });

  test("ASK4 1.13 is a multiple of 0.01, -0 is 0, and a property may have the name __proto__ or constructor", () => {
    expect(answerIssues({ multipleOf: 0.01 }, 1.13)).toEqual([]);
    expect(answerIssues({ const: 0 }, -0)).toEqual([]);
    const strict = { properties: { a: {} }, additionalProperties: false, required: ["constructor"] };
    expect(answerIssues(strict, JSON.parse('{ "__proto__": 1 }'))).toEqual([
      { path: "/constructor", message: "is missing" },
      { path: "/__proto__", message: "is an unknown field" },
    ]);
  });

  test.each([
    [2, 2_000_000_001],
    [1, 1_000_000_000.5],
    [0.01, 10_000_000.005],
    [1, 1e-20],
    [2, 9_007_199_254_740_991],
    [1, 4_503_599_627_370_495.5],
    [1, 1 + Number.EPSILON],
    [0.01, 20_000_000_000_000.004],
    [3, 1e300],
    [1e308, 5],
  ])("ASK4 no multiple of %d is %d, however large or small the quotient is", (multipleOf, answer) => {
    expect(answerIssues({ multipleOf }, answer)).toMatchObject([{ message: `must be a multiple of ${multipleOf}` }]);
  });

  test.each([
    [0.01, 1.13],
    [0.0001, -19.9999],
    [5e-324, Number.MAX_VALUE],
    [1e-300, 1e300],
    [1e22, -3e22],
    [7, 0],
  ])("ASK4 a multiple of %d is %d, in the decimal digits that JSON shows", (multipleOf, answer) => {
    expect(answerIssues({ multipleOf }, answer)).toEqual([]);
  });

  test("ASK4 an answer of any depth, and one that contains itself, has an end", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 200_000; level++) deep = [deep];
    const itself: unknown[] = [];
    itself.push(itself);
    const list = { $ref: "#/$defs/list", $defs: { list: { type: "array", items: { $ref: "#/$defs/list" } } } };
    for (const schema of [true, { const: 1 }, { uniqueItems: true }, list])
      for (const answer of [deep, itself])
        expect(answerIssues(schema, answer)).toMatchObject([{ message: expect.stringContaining("too many steps") }]);
  });

  test("ASK4 the paths of problems are bounded, however long the names in an answer are", () => {
    const [issue] = answerIssues({ additionalProperties: false }, { ["k".repeat(100_000)]: 1 });
    expect(issue).toEqual({ path: "", message: `/${"k".repeat(999)}… is an unknown field` });
  });

  test("ASK4 a line break does not separate a date and a time", () => {
    expect(answerIssues({ format: "date-time" }, "2030-01-31 14:30:00Z")).toEqual([]);
    expect(answerIssues({ format: "date-time" }, "2030-01-31\n14:30:00Z")).toHaveLength(1);
  });

  test("ASK4 a refusal lists at most 20 problems", () => {
    expect(
      answerIssues(
        { items: false },
        Array.from({ length: 100 }, () => 1),
      ),
    ).toHaveLength(20);
  });
});

describe("a schema that is refused", () => {
  const deep = (levels: number): object =>
    Object.fromEntries(
      Array.from({ length: levels }, (_none, at) => [
        `d${at}`,
        { allOf: [1, 2].map(() => ({ $ref: `#/$defs/d${at + 1}` })) },
      ]),
    );
  const cases: readonly (readonly [schema: unknown, message: string])[] = [
    [1, "schema: must be a JSON Schema"],
    [{ $ref: "https://example.com/x" }, "schema.$ref: refers to elsewhere"],
    [{ properties: { a: { $ref: "other.json#/x" } } }, "schema.properties.a.$ref: refers to elsewhere"],
    [{ $dynamicRef: "https://example.com/x" }, "schema.$dynamicRef: refers to elsewhere"],
    [{ $ref: "#/$defs/none" }, "schema.$ref: names no schema of this document"],
    [{ $ref: "#/__proto__" }, "schema.$ref: names no schema of this document"],
    [{ $ref: "#/%" }, "schema.$ref: names no schema of this document"],
    [{ $ref: "#" }, "schema: leads back to itself"],
    [{ anyOf: [{ $ref: "#/$defs/a" }], $defs: { a: { not: { $ref: "#" } } } }, "leads back to itself"],
    [
      {
        properties: { x: { $ref: "#/$defs/d" } },
        allOf: [{ $ref: "#/$defs/d" }],
        $defs: { d: { allOf: [{ $ref: "#" }] } },
      },
      "leads back to itself",
    ],
    [{ $defs: { a: { $id: "x" } } }, "schema.$defs.a.$id: is allowed for the whole schema only"],
    [{ $schema: "http://json-schema.org/draft-07/schema#" }, "schema.$schema: must be that of JSON Schema 2020-12"],
    [{ items: [{}] }, "schema.items: must be a schema. Use prefixItems"],
    [{ dependencies: {} }, "schema.dependencies: is a keyword of an earlier draft. Use dependentRequired"],
    [{ type: "text" }, "schema.type: must be one of string, number"],
    [{ type: [] }, "schema.type: must be one of string, number"],
    [{ type: ["string", ["null"]] }, "schema.type: must be one of string, number"],
    [{ enum: [] }, "schema.enum: must be a list, and not empty"],
    [{ minLength: -1 }, "schema.minLength: must be a whole number"],
    [{ required: "a" }, "schema.required: must be a list of names"],
    [{ properties: { a: 1 } }, "schema.properties: must be an object of schemas"],
    [{ allOf: [] }, "schema.allOf: must be a list of schemas, and not empty"],
    [{ pattern: "(" }, "schema.pattern: is not a valid expression"],
    [{ pattern: "(a)\\1" }, "schema.pattern: has a back reference"],
    [{ pattern: "(?<x>a)\\k<x>" }, "schema.pattern: has a back reference"],
    [{ pattern: "(?<=a)b" }, "schema.pattern: has a lookbehind"],
    [{ pattern: "(?:a{100}){100}" }, "schema.pattern: is too large"],
    [{ pattern: "a{2,3000}" }, "schema.pattern: repeats more than 2000 times"],
    [{ patternProperties: { "(?<!a)b": true } }, "schema.patternProperties: has a lookbehind"],
    [{ not: { "x-own": { a: { pattern: "(a)\\1" } }, $ref: "#/not/x-own/a" } }, "schema.not.$ref.pattern: has a back"],
  ];

  test.each(cases)("ASK2 %j: %s", (schema, message) => {
    expect(schemaProblem(schema, "schema")).toContain(message);
  });

  test("ASK2 a tree that contains itself is no problem, nor are unknown keywords and the names of keywords as data", () => {
    const tree = {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#" } }, type: { type: "string" } },
    };
    expect(schemaProblem(tree, "schema")).toBeUndefined();
    expect(answerIssues(tree, { children: [{ children: [] }] })).toEqual([]);
    expect(answerIssues(tree, { children: [{ children: [1] }] })).toMatchObject([{ path: "/children/0/children/0" }]);
    expect(
      schemaProblem({ title: "x", "x-any": 1, enum: [{ $ref: "https://example.com" }] }, "schema"),
    ).toBeUndefined();
  });

  test("ASK4 a schema whose references double at each level ends after a bounded number of steps", () => {
    const levels = 60;
    const schema = { $ref: "#/$defs/d0", $defs: { ...deep(levels), [`d${levels}`]: {} } };
    expect(schemaProblem(schema, "schema")).toBeUndefined();
    expect(answerIssues(schema, 1)).toEqual([{ path: "", message: expect.stringContaining("too many steps") }]);
  });

  const longName = { ["k".repeat(200_000)]: 1 };
  const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, 1]));
  const elements = Array.from({ length: 10_000 }, () => 1);
  const names = Array.from({ length: 1_500 }, (_, n) => `k${n}`);
  test.each<[keyword: string, rule: unknown, answer: unknown]>([
    ["minProperties", 0, fields],
    ["additionalProperties", false, fields],
    ["additionalProperties", { type: "number" }, longName],
    ["items", false, elements],
    ["unevaluatedItems", true, elements],
    ["required", names, {}],
    ["dependentRequired", { k: names }, { k: 1 }],
    ["format", "uri", `a:${"b".repeat(100_000)}`],
    ["maxLength", 1, "b".repeat(100_000)],
  ])("ASK4 a keyword takes steps for each part of its value: %s, 4,096 times", (keyword, rule, answer) => {
    const schema = { $ref: "#/$defs/d0", $defs: { ...deep(12), d12: { [keyword]: rule } } };
    expect(schemaProblem(schema, "schema")).toBeUndefined();
    expect(answerIssues(schema, answer)).toEqual([{ path: "", message: expect.stringContaining("too many steps") }]);
  });

  test("ASK4 to remember which elements a chain of references described takes steps, too", () => {
    const links = Array.from({ length: 200 }, (_, n) => [`d${n}`, { $ref: `#/$defs/d${n + 1}` }]);
    const schema = {
      $ref: "#/$defs/d0",
      $defs: { ...Object.fromEntries(links), d200: { prefixItems: [true], items: true } },
    };
    const answer = Array.from({ length: 20_000 }, () => 1);
    expect(answerIssues(schema, answer)).toEqual([{ path: "", message: expect.stringContaining("too many steps") }]);
  });

  test("ASK4 a tree with two branches for each level ends, too", () => {
    const branch = { properties: { a: { $ref: "#" } } };
    const schema = { anyOf: [{ ...branch, required: ["z"] }, branch] };
    let answer: object = {};
    for (let level = 0; level < 400; level++) answer = { a: answer };
    expect(answerIssues(schema, answer)).toEqual([{ path: "", message: expect.stringContaining("too many steps") }]);
  });
});

describe("a pattern", () => {
  const free = (source: string, text: string): boolean => {
    const pattern = readPattern(source);
    if (typeof pattern === "string") throw new Error(pattern);
    return matchesPattern(pattern, text, () => {});
  };

  test.each([
    ["(a+)+$", "a".repeat(200) + "!"],
    ["^(a|a)*$", "a".repeat(200) + "!"],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(500)],
    ["(x+x+)+y", "x".repeat(300)],
    ["^(?=(a+)+$)", "a".repeat(200) + "!"],
    ["(a*)*b", "a".repeat(500)],
  ])("ASK4 %s with a hostile text ends at once", (source, text) => {
    expect(free(source, text)).toBe(false);
    const started = answerIssues({ pattern: source }, text);
    expect(started).toMatchObject([{ message: expect.stringContaining("must match") }]);
  });

  test.each([["(?:"], ["("], ["(?="], ["(?!"]])("ASK2 %s two thousand times within each other is refused", (group) => {
    const source = `${group.repeat(2_000)}a${")".repeat(2_000)}`;
    expect(schemaProblem({ pattern: source }, "schema")).toContain("has more than 100 groups within each other");
    expect(schemaProblem({ pattern: `${group}a)`.repeat(200) }, "schema")).toBeUndefined();
  });

  test("ASK2 repetitions of nothing take no time", () => {
    const nothing = `${"(?:".repeat(5)}${"){2000}".repeat(5)}`;
    expect(free(`^${nothing}a$`, "a")).toBe(true);
  });

  test("ASK4 a text that is too long for its pattern is refused", () => {
    const issues = answerIssues({ pattern: "^(?:[ab]{1,500}x)+$" }, "ab".repeat(50_000));
    expect(issues).toEqual([{ path: "", message: expect.stringContaining("too many steps") }]);
  });

  const sources = fc.letrec<{ any: string }>((tie) => {
    const some = tie("any");
    const char = fc.constantFrom(
      "a",
      "b",
      "c",
      ".",
      "[ab]",
      "[^a]",
      "\\d",
      "\\w",
      "\\.",
      "\\u0061",
      "\\x62",
      "\\p{L}",
      "1",
    );
    return {
      any: fc.oneof(
        { maxDepth: 4 },
        char,
        fc.constantFrom("^", "$", "\\b", "\\B"),
        fc.tuple(some, some).map(([x, y]) => x + y),
        fc.tuple(some, some).map(([x, y]) => `(?:${x}|${y})`),
        fc
          .tuple(some, fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"))
          .map(([x, times]) => `(${x})${times}`),
        some.map((x) => `(?=${x})`),
        some.map((x) => `(?!${x})`),
        some.map((x) => `(?<n>${x})`),
      ),
    };
  }).any;

  test("ASK4 matches what the engine of the platform matches, for random expressions and texts", () => {
    const texts = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ".", " ", "ä"), maxLength: 8 });
    let compared = 0;
    fc.assert(
      fc.property(sources, texts, (source, text) => {
        // One name of a group may occur once.
        if (source.split("?<n>").length > 2) return;
        compared += 1;
        expect(free(source, text)).toBe(new RegExp(source, "u").test(text));
      }),
      { seed: randomSeed(), numRuns: 3_000 },
    );
    expect(compared).toBeGreaterThan(2_000);
  });

  test.each([
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    "^[\\]\\\\-]+$",
    "^[^\\]]$",
    "^\\uD83D\\uDE00$",
    "^\\u{1F600}\\cA\\0$",
  ])("ASK2 the expression %s can be read, and means the same", (source) => {
    for (const text of ["ann@example.com", ".a@b.c", "a..b@c.de", "]\\-", "x", "\u{1F600}", "\u{1F600}\u0001\0"])
      expect(free(source, text)).toBe(new RegExp(source, "u").test(text));
  });
});
