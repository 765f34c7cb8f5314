/**
 * Forms made from JSON Schemas: their fields, their defaults, and the values that they send.
 */
import { expect, test } from "vitest";
import { type Draft, draftOf } from "../../src/approvals/form-draft.ts";
import { type Problem, answerOf, problemsByField } from "../../src/approvals/form-answer.ts";
import { type Field, formOf } from "../../src/approvals/form-model.ts";

/** Returns the draft in which the members of the root have these texts, choices and flags. */
function fill(field: Field, values: Readonly<Record<string, unknown>>): Draft {
  if (field.kind !== "group") throw new Error(`The form is a ${field.kind}.`);
  return {
    kind: "group",
    members: field.members.map(({ name, field: member }): Draft => {
      const value = values[name];
      if (value === undefined) return draftOf(member);
      if (member.kind === "text" || member.kind === "number" || member.kind === "json")
        return { kind: "text", text: typeof value === "string" ? value : JSON.stringify(value) };
      return draftOf(member, value);
    }),
  };
}

function problemsOf(field: Field, draft: Draft): readonly Problem[] {
  const answer = answerOf(field, draft);
  return answer.ok ? [] : answer.problems;
}

function kindOf(schema: unknown): string {
  const field = formOf(schema);
  if (field.kind === "group")
    return `{${field.members.map(({ name, field: member }) => `${name}: ${member.kind}`).join(", ")}}`;
  if (field.kind === "list") return `list of ${field.item.kind}`;
  return field.kind === "text" ? `text ${field.input}` : field.kind;
}

test.each([
  [{ type: "string" }, "text line"],
  [{ type: "string", format: "multiline" }, "text area"],
  [{ type: "string", multiline: true }, "text area"],
  [{ type: "string", maxLength: 2_000 }, "text area"],
  [{ type: "string", format: "email" }, "text email"],
  [{ type: "string", format: "date" }, "text date"],
  [{ type: "string", format: "date-time" }, "text date-time"],
  [{ type: "string", format: "uri" }, "text url"],
  [{ type: "string", format: "constructor" }, "text line"],
  [{ type: "integer" }, "number"],
  [{ type: "boolean" }, "flag"],
  [{ enum: ["a", 1, null] }, "choice"],
  [{ oneOf: [{ const: "a", title: "A" }, { const: "b" }] }, "choice"],
  [{ anyOf: [{ type: "number" }, { type: "null" }] }, "number"],
  [{ type: ["string", "null"] }, "text line"],
  [{ type: "array", items: { type: "string" } }, "list of text"],
  [{ type: "array", items: { type: "object", properties: { a: { type: "string" } } } }, "list of group"],
  [{ type: "array", uniqueItems: true, items: { enum: ["a", "b"] } }, "several"],
  [{ const: 4 }, "constant"],
  [{ type: "object", properties: { a: { type: "object", properties: { b: {} } } } }, "{a: group}"],
  [{ properties: { a: { $ref: "#/$defs/a~1b" } }, $defs: { "a/b": { type: "boolean" } } }, "{a: flag}"],
])("FORM1 the schema %j becomes the field %s", (schema, kind) => {
  expect(kindOf(schema)).toBe(kind);
});

test.each([
  [true],
  [{}],
  [null],
  [{ type: ["string", "number"] }],
  [{ type: "object" }],
  [{ type: "object", additionalProperties: { type: "string" } }],
  [{ type: "object", properties: { a: {} }, required: ["b"] }],
  [{ type: "object", properties: { a: { type: "string" } }, allOf: [{ required: ["a"] }] }],
  [{ type: "object", properties: { a: { type: "string" } }, if: {} }],
  [{ type: "array" }],
  [{ type: "array", items: { type: "array", items: { type: "string" } } }],
  [{ type: "array", prefixItems: [{ type: "string" }], items: false }],
  [{ oneOf: [{ type: "string" }, { type: "number" }] }],
  [{ $ref: "https://example.com/schema" }],
  [{ $ref: "#/$defs/none" }],
  [{ $ref: "#" }],
  [{ type: "object", properties: "no" }],
  [{ enum: [] }],
])("FORM1 what no field expresses is written as JSON: %j", (schema) => {
  expect(kindOf(schema)).toBe("json");
});

test("FORM1 a member that no field expresses is JSON alone, and the others stay fields", () => {
  expect(kindOf({ type: "object", properties: { a: { type: "string" }, b: { type: "object" } } })).toBe(
    "{a: text, b: json}",
  );
});

test("FORM1 a schema that refers to itself, or doubles at each level, becomes a form within a second", () => {
  const before = process.cpuUsage();
  const node = { type: "object", properties: { a: { $ref: "#/$defs/n" }, b: { $ref: "#/$defs/n" } } };
  expect(kindOf({ $ref: "#/$defs/n", $defs: { n: node } })).toMatch(/json|\{/);
  const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`p${n}`, { type: "string" }]));
  expect(kindOf({ type: "object", properties: wide })).toBe("json");
  let deep: unknown = { type: "string" };
  for (let n = 0; n < 500; n++) deep = { type: "object", properties: { a: deep } };
  formOf(deep);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
});

const ORDER = formOf({
  type: "object",
  required: ["approve", "amount", "kind", "note"],
  properties: {
    approve: { type: "boolean" },
    amount: { type: "number", minimum: 0, exclusiveMaximum: 100, multipleOf: 0.01 },
    kind: { const: "refund" },
    note: { type: "string", minLength: 3, maxLength: 5 },
    count: { type: "integer", default: 2 },
    to: { type: "string", format: "email" },
    when: { type: "string", format: "date-time" },
    reason: { oneOf: [{ const: "R1", title: "Damaged" }, { const: "R2" }] },
    lines: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 2 },
  },
});

test("DASH6 FORM2 an answer has what the reader wrote, the constants and the defaults, and nothing else", () => {
  const draft = fill(ORDER, { approve: false, amount: " 12.50 ", note: "good", reason: "R1" });
  expect(answerOf(ORDER, draft)).toEqual({
    ok: true,
    value: { approve: false, amount: 12.5, kind: "refund", note: "good", count: 2, reason: "R1" },
  });
});

test("DASH6 FORM2 a required field that is empty is named; an optional one is not", () => {
  expect(problemsOf(ORDER, fill(ORDER, {}))).toEqual([
    { path: "/approve", message: "Choose one." },
    { path: "/amount", message: "Fill this in." },
    { path: "/note", message: "Fill this in." },
  ]);
});

test.each([
  ["amount", "twelve", "Write a number, such as 12.5."],
  ["amount", "0x10", "Write a number, such as 12.5."],
  ["amount", "-1", "Write a number of at least 0."],
  ["amount", "100", "Write a number below 100."],
  ["amount", "0.001", "Write a multiple of 0.01."],
  ["count", "1.5", "Write a whole number, such as 12."],
  ["count", "9007199254740993", "This number is too large to be sent exactly."],
  ["note", "ab", "Write at least 3 characters; this has 2."],
  ["note", "abcdef", "Write at most 5 characters; this has 6."],
  ["to", "ann", "Write an address such as ann@example.com."],
  ["lines", ["a", "b", "c"], "Give at most 2; 3 are given."],
  ["lines", ["a", ""], "Fill this in."],
])("FORM2 %s: %j is refused at its place", (name, value, message) => {
  const good = { approve: true, amount: "1", note: "good" };
  const [problem] = problemsOf(ORDER, fill(ORDER, { ...good, [name]: value }));
  expect(problem?.message).toBe(message);
  expect(problem?.path.startsWith(`/${name}`)).toBe(true);
});

test("FORM2 characters are counted as the schema counts them: an emoji is one", () => {
  const field = formOf({ type: "string", maxLength: 2 });
  expect(answerOf(field, { kind: "text", text: "👍👍" })).toEqual({ ok: true, value: "👍👍" });
});

test("FORM2 nothing is null if the field is required and may be null, and absent otherwise", () => {
  const schema = {
    type: "object",
    required: ["a"],
    properties: { a: { type: ["string", "null"] }, b: { type: "null" } },
  };
  const field = formOf(schema);
  expect(answerOf(field, draftOf(field))).toEqual({ ok: true, value: { a: null } });
});

test("FORM2 an optional group that is empty is absent; one that is begun must be whole", () => {
  const field = formOf({
    type: "object",
    properties: {
      to: { type: "object", required: ["a"], properties: { a: { type: "string" }, b: { type: "string" } } },
    },
  });
  expect(answerOf(field, draftOf(field))).toEqual({ ok: true, value: {} });
  expect(problemsOf(field, draftOf(field, { to: { b: "x" } }))).toEqual([{ path: "/to/a", message: "Fill this in." }]);
});

test("FORM2 names such as __proto__ are names like others", () => {
  const schema: unknown = JSON.parse(
    '{"type":"object","required":["__proto__"],"properties":{"__proto__":{"type":"string"},"a/b~":{"type":"string","minLength":2}}}',
  );
  const field = formOf(schema);
  const value: unknown = JSON.parse('{"__proto__":"x","a/b~":"yy"}');
  const answer = answerOf(field, draftOf(field, value));
  expect(JSON.stringify(answer)).toBe('{"ok":true,"value":{"__proto__":"x","a/b~":"yy"}}');
  expect(problemsOf(field, fill(field, { ["__proto__"]: "x", "a/b~": "y" }))).toMatchObject([{ path: "/a~1b~0" }]);
});

test("FORM2 a draft made of a value sends the same value", () => {
  const value = {
    approve: true,
    amount: 1.5,
    kind: "refund",
    note: "good",
    when: "2026-05-01T10:20:30.000Z",
    lines: ["a", "b"],
    count: 7,
  };
  expect(answerOf(ORDER, draftOf(ORDER, value))).toEqual({ ok: true, value });
});

test("FORM2 an answer that the default of the whole schema gives is sent as it is", () => {
  const field = formOf({ type: "object", default: { a: 1 }, properties: { a: { type: "integer", default: 9 } } });
  expect(answerOf(field, draftOf(field))).toEqual({ ok: true, value: { a: 1 } });
});

test("what the server has against an answer is shown by the nearest field", () => {
  const field = formOf({
    type: "object",
    properties: { a: { type: "object", properties: { b: { type: "string" } } }, any: {} },
  });
  const problems = problemsByField(field, draftOf(field), [
    { path: "/a/b", message: "one" },
    { path: "/any/x/0", message: "two" },
    { path: "/none", message: "three" },
    { path: "", message: "four" },
  ]);
  expect([...problems]).toEqual([
    ["/a/b", ["one"]],
    ["/any", ["/x/0: two"]],
    ["", ["/none: three", "four"]],
  ]);
});
