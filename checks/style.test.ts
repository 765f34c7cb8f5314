/** Checks the style of every source file. The exceptions only shrink: an exception that is not needed fails a test. */
import { expect, test } from "vitest";
import { readFiles } from "./source-files.ts";
import { type StyleRule, checkStyle, findCasts } from "./style.ts";

const EXCEPTIONS: readonly { readonly path: string; readonly rule: StyleRule; readonly why: string }[] = [];

/** The allowed number of casts in the pure packages. */
const CASTS_MAX = 10;

/** The bound on the median number of lines of the published files. */
const MEDIAN_LINES_MAX = 90;

const PROBLEMS = readFiles(
  "{packages,apps,examples}/*/src/**/*.{ts,tsx}",
  "{benchmarks,checks,demo,deploy}/**/*.ts",
).flatMap(checkStyle);

const messagesFor = (path: string, text: string) => checkStyle({ path, text }).map(({ message }) => message);

const inPureCode = (code: string) => messagesFor("packages/orchestrator/src/a.ts", `/** A. */\n${code}\n`);

test("every source file follows the style rules", () => {
  const open = PROBLEMS.filter(({ path, rule }) => !EXCEPTIONS.some((one) => one.path === path && one.rule === rule));
  expect(open.map(({ message }) => message)).toEqual([]);
});

test("every exception is needed", () => {
  const stale = EXCEPTIONS.filter(({ path, rule }) => !PROBLEMS.some((one) => one.path === path && one.rule === rule));
  expect(stale).toEqual([]);
});

test(`the pure packages have at most ${CASTS_MAX} casts`, () => {
  const casts = readFiles("packages/{protocol,orchestrator}/src/**/*.ts").flatMap((file) =>
    findCasts(file).map((line) => `${file.path}:${line}`),
  );
  expect(casts.length, casts.join("\n")).toBeLessThanOrEqual(CASTS_MAX);
});

test("each cast in the pure packages has a comment above it that gives the reason", () => {
  const bare = readFiles("packages/{protocol,orchestrator}/src/**/*.ts").flatMap((file) => {
    const lines = file.text.split("\n");
    return findCasts(file).flatMap((line) =>
      /^\s*\/\/ A cast: /.test(lines[line - 2] ?? "") ? [] : [`${file.path}:${line}`],
    );
  });
  expect(bare).toEqual([]);
});

test(`the median of the published files is under ${MEDIAN_LINES_MAX} lines`, () => {
  const files = readFiles("packages/{protocol,orchestrator,workflows,orchestrator-cloudflare}/src/**/*.ts");
  const lengths = files.map(({ text }) => text.trimEnd().split("\n").length).toSorted((a, b) => a - b);
  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(MEDIAN_LINES_MAX);
});

test("a missing header and an empty name are found", () => {
  expect(messagesFor("demo/a.ts", "// no\n")).toEqual([
    "demo/a.ts does not open with a /** header */: what it is and owns.",
  ]);
  expect(messagesFor("packages/x/src/run-helpers.ts", "/** A. */\n")).toHaveLength(1);
  expect(messagesFor("packages/x/src/common/run.ts", "/** A. */\n")).toHaveLength(1);
});

test.each([
  "const a = new Date(0);",
  "async function a() {}",
  "const a = async () => b;",
  "class A { async b() {} }",
  "await a;",
  "for await (const a of b) c(); export {};",
])("pure code must not contain %s", (code) => {
  expect(inPureCode(code)).toHaveLength(1);
});

test.each([
  "// await new Date()",
  'const a = "async await";',
  "const a = /await new Date/;",
  "type A = Promise<Date>;",
  "const a = b instanceof Date;",
])("pure code may contain %s", (code) => {
  expect(inPureCode(code)).toEqual([]);
});

test("a message contains the place and the alternative, and other code is not checked", () => {
  expect(inPureCode("const a = new Date(0);")).toEqual([
    "packages/orchestrator/src/a.ts:2 makes a Date. Time comes in as `now` (milliseconds). Keep times as milliseconds.",
  ]);
  expect(messagesFor("packages/proof/src/a.ts", "/** A. */\nconst a = new Date();\n")).toEqual([]);
});

test("only casts are counted, not the syntax that looks like them", () => {
  const text = `import { a as b } from "c";
const d = b as string; const e = ["f"] as const; const g = {} satisfies object;
const h = <number>(d as unknown);`;
  expect(findCasts({ path: "a.ts", text })).toEqual([2, 3, 3]);
});
