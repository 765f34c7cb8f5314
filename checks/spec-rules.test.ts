/** Checks that every rule of SPEC.md is cited by a test. */
import { expect, test } from "vitest";
import { ELSEWHERE, readPromises } from "./guarantees.ts";
import { readFiles } from "./source-files.ts";
import { compareRules, findTitles, listRules } from "./spec-rules.ts";

const [SPEC] = readFiles("SPEC.md");
const TESTS = readFiles("{packages,apps,examples,deploy}/*/{test,test-workers}/**/*.test.ts");

test("every rule of SPEC.md is cited by a test", () => {
  const { uncited, unknown } = compareRules(SPEC?.text ?? "", TESTS);
  expect(TESTS).not.toEqual([]);
  expect(SPEC).toBeDefined();
  expect(uncited, "no test cites these rules of SPEC.md in its title").toEqual([]);
  expect(unknown, "SPEC.md does not define these rules").toEqual([]);
});

test("every rule of SPEC.md has an id of its own", () => {
  const rules = listRules(SPEC?.text ?? "");
  expect(rules.filter((rule, i) => rules.indexOf(rule) !== i)).toEqual([]);
});

test("every rule of SPEC.md for users is on docs/guarantees.md", () => {
  const shown = new Set(readPromises(readFiles("docs/guarantees.md")[0]?.text ?? "").flatMap(({ rules }) => rules));
  const rules = listRules(SPEC?.text ?? "").filter((rule) => ELSEWHERE[rule.replace(/\d+$/, "")] === undefined);
  expect(
    rules.filter((rule) => !shown.has(rule)),
    "add a row for these rules",
  ).toEqual([]);
});

test("a rule that no test cites and a cited rule that does not exist are found", () => {
  const spec = "**AB1** One.\n**AB2** Two.\n**AB3** Three, like AB9.\n- **AB4.** Four.";
  const text = 'test("AB1 is, as is AB7 of UTF8", f); it.each([1])("AB3 too", f); // test("AB2", f)';
  expect(compareRules(spec, [{ path: "a.test.ts", text }])).toEqual({
    uncited: ["AB2", "AB4"],
    unknown: ["AB7"],
  });
});

test("only the titles of tests that run are found", () => {
  const text = `test("a", f); it('b', f); test.only(\`c \${d}\`, f); test.each([x(1), "no"])("e", f);
test.skip("no", f); test.todo("no"); it.skipIf(a)("g", f); contest("no"); x.test("no"); test(name, f); test.each<A>([
  ["no"],
])(
  "h",
  f,
);`;
  expect(findTitles({ path: "a.test.ts", text })).toEqual(["a", "b", "c ${d}", "e", "g", "h"]);
});
