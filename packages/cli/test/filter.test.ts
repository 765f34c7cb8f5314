/** tests: the grammar of filters, and the place of errors in JSON */
import { describe, expect, test } from "vitest";
import { parseFilter, splitFilter } from "../src/select/filter.ts";
import { findJsonError } from "../src/select/json-error.ts";
import { splitWords } from "../src/connect/token-command.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const DAY = 86_400_000;

describe("a filter", () => {
  test("CLI6 each key becomes a field of the API's filter", () => {
    const terms = splitFilter('status:failed workflow:"my flow" tag:vip tag:eu parent:a:b');
    expect(parseFilter(terms, NOW)).toEqual({
      status: "failed",
      workflowId: "my flow",
      tag: ["vip", "eu"],
      parentRunId: "a:b",
    });
    expect(parseFilter([], NOW)).toEqual({});
  });

  test.each([
    [">1d", { createdAfter: NOW - DAY + 1 }],
    [">=1d", { createdAfter: NOW - DAY }],
    ["<30m", { createdBefore: NOW - 1_800_000 }],
    [">2026-01-30", { createdAfter: Date.UTC(2026, 0, 30) + 1 }],
    ["<2026-01-30T06:00", { createdBefore: Date.UTC(2026, 0, 30, 6) }],
    ["<=2026-01-30T06:00+02:00", { createdBefore: Date.UTC(2026, 0, 30, 4) + 1 }],
  ])("CLI6 created:%s is a moment, or the moment that long ago", (value, fields) => {
    expect(parseFilter([`created:${value}`], NOW)).toEqual(fields);
  });

  test("CLI6 two bounds of created select what is between them", () => {
    const filter = parseFilter(splitFilter("created:>7d created:<1d"), NOW);
    expect(filter).toEqual({ createdAfter: NOW - 7 * DAY + 1, createdBefore: NOW - DAY });
  });

  test.each([
    ["stat:failed", /no filter "stat"[\s\S]*status:[\s\S]*workflow:[\s\S]*tag:[\s\S]*created:[\s\S]*parent:/],
    ["order-1", /"order-1" is not a filter[\s\S]*workflow:/],
    ["constructor:x", /no filter "constructor"/],
    ["status:done", /no status "done"\. The statuses are: pending,/],
    ["status:failed status:paused", /status: may be given once/],
    ["workflow:", /needs a value/],
    ["created:1d", /created:1d is not a time/],
    ["created:>soon", /is not a time/],
    ["created:<2026-02-31", /is not a time/],
    ["created:<2026-02-31T00:00Z", /is not a time/],
    ['workflow:"x', /quote that does not end/],
  ])("CLI6 %s is an error that says what is possible", (text, message) => {
    expect(() => parseFilter(splitFilter(text), NOW)).toThrow(message);
  });
});

describe("JSON that is not JSON", () => {
  test.each([
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["{a:1}", 1],
    ["[1 2]", 3],
    ["[1,2", 4],
    ["tru", 0],
    ['{"a":"x', 7],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ["01", 1],
    ["{} x", 3],
    ["[}", 1],
    ["1.", 1],
    ['{"a":1,"b":[true,null,-1.5e3,"\\u00e9"],}', 39],
  ])("CLI4 the error in %j is at %i", (text, at) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(findJsonError(text)).toBe(at);
  });

  test("CLI4 nesting has no limit, and time is linear", () => {
    expect(findJsonError("[".repeat(200_000))).toBe(200_000);
    expect(findJsonError(`"${"\\n".repeat(200_000)}`)).toBe(400_001);
  });
});

test("CLI8 the words of a token command: quotes group, a backslash is literal, and nothing is expanded", () => {
  expect(splitWords(`op read "op://my vault/x" --n='a b' c\\ d $HOME \`x\` "" 'a'"b"`)).toEqual([
    "op",
    "read",
    "op://my vault/x",
    "--n=a b",
    "c d",
    "$HOME",
    "`x`",
    "",
    "ab",
  ]);
  expect(() => splitWords('op "read')).toThrow("no closing");
  expect(() => splitWords("  ")).toThrow("empty");
});
