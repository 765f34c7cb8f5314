/**
 * JSON that a reader types: its value, and the place of its first error.
 */
import { expect, test } from "vitest";
import { layOutJson, parseJson } from "../../src/ui/json-text.ts";

function placeOf(text: string): string {
  const parsed = parseJson(text);
  return parsed.kind === "invalid"
    ? `${parsed.problem.line}:${parsed.problem.column} ${parsed.problem.message}`
    : parsed.kind;
}

test.each([
  ['{"a":1,}', "1:8 A name in double quotes belongs here."],
  ["{a:1}", "1:2 A name in double quotes or } belongs here."],
  ['{"a" 1}', "1:6 A colon belongs here."],
  ["[1 2]", "1:4 A comma or ] belongs here."],
  ["[1,]", "1:4 A value belongs here."],
  ["[}", "1:2 A value or ] belongs here."],
  ['{\n  "a": 1\n  "b": 2\n}', "3:3 A comma or } belongs here."],
  ["{} {}", "1:4 Nothing more may follow here."],
  ['"abc', "1:1 The string that begins here has no end."],
  ['"a\\x"', "1:3 This is no escape of JSON."],
  ['"a\nb"', "1:3 A line ends, or a control character is, within a string."],
  ["[1,\n", "2:1 The text ends too early. A value belongs here."],
  ["01", "1:1 A value belongs here."],
  ["truex", "1:1 A value belongs here."],
  ["NaN", "1:1 A value belongs here."],
  ["9007199254740993", "1:1 9007199254740993 cannot be sent exactly."],
  ["1e999", "1:1 1e999 cannot be sent exactly."],
  ["   ", "empty"],
])("the first error of %j is reported with its place", (text, expected) => {
  expect(placeOf(text)).toBe(expected);
});

test.each(["{}", "[]", ' {"a":[1,-2.5e3,{"b":null}],"c":"\\u00e9\\n"} ', "true", '"x"', "0", "[[[]]]", "-0", "1.10"])(
  "the value of %j is that of JSON.parse",
  (text) => {
    expect(parseJson(text)).toEqual({ kind: "value", value: JSON.parse(text) });
  },
);

test("whatever JSON.parse refuses is refused, at every cut and every changed character of a text", () => {
  const text = '{"a":[1,-2.5e3,{"b":null}],"c":"\\u00e9\\n","d":{}}';
  const places = Array.from({ length: text.length }, (_, at) => at);
  const others = places.flatMap((at) =>
    ["", ",", '"', "}", "]", ":", "1", "\\", "\n"].map((one) => text.slice(0, at) + one + text.slice(at + 1)),
  );
  for (const other of [...others, ...places.map((at) => text.slice(0, at))])
    expect(parseJson(other).kind === "value", other).toBe(isJson(other));
});

test("the layout keeps numbers, strings and repeated names as they were typed", () => {
  expect(layOutJson('{"a":1.10,"a":[],"b":[{},{"c":"x:y,"}]}')).toBe(
    '{\n  "a": 1.10,\n  "a": [],\n  "b": [\n    {},\n    {\n      "c": "x:y,"\n    }\n  ]\n}',
  );
  expect(layOutJson("[1,")).toBe("[1,");
});

test("a text of 1 MiB is read within a second", () => {
  const text = `[${"[1,".repeat(100_000)}`;
  const before = process.cpuUsage();
  expect(parseJson(text).kind).toBe("invalid");
  expect(parseJson(`"${"a".repeat(1_000_000)}`).kind).toBe("invalid");
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
