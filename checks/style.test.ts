/** Checks the style of every source file, and the few exceptions from it. */
import { expect, test } from "vitest";
import { measureFunctions } from "./function-lengths.ts";
import { readFiles } from "./source-files.ts";
import { blankText } from "./source-text.ts";
import { type StyleRule, checkStyle } from "./style.ts";

/** May only shrink. One that is needed no longer fails. */
const EXCEPTIONS: readonly { readonly path: string; readonly rule: StyleRule; readonly why: string }[] = [
  ...["composition", "steps", "undoing", "waits"].map((part) => ({
    path: `packages/proof/src/catalogue/${part}.ts`,
    rule: "function-lines" as const,
    why: "A list of workflows: it reads from top to bottom and branches nowhere.",
  })),
  {
    path: "packages/proof/src/contracts/store-contract.ts",
    rule: "function-lines",
    why: "A list of tests, as in a test file.",
  },
];

const PROBLEMS = readFiles("{packages,apps,examples}/*/src/**/*.ts", "{benchmarks,checks,demo,deploy}/**/*.ts").flatMap(
  checkStyle,
);

const messagesFor = (path: string, text: string) => checkStyle({ path, text }).map(({ message }) => message);

const inPureCode = (code: string) => messagesFor("packages/orchestrator/src/a.ts", `/** A. */\n${code}\n`);

test("every source file keeps the style", () => {
  const open = PROBLEMS.filter(({ path, rule }) => !EXCEPTIONS.some((one) => one.path === path && one.rule === rule));
  expect(open.map(({ message }) => message)).toEqual([]);
});

test("no exception is stale", () => {
  const stale = EXCEPTIONS.filter(({ path, rule }) => !PROBLEMS.some((one) => one.path === path && one.rule === rule));
  expect(stale).toEqual([]);
});

test("a missing header, a long file, a long function and an empty name are found", () => {
  const longFunction = `function long(): void {\n${"  a();\n".repeat(70)}}\n`;
  expect(messagesFor("demo/a.ts", "// no\n")).toEqual([
    "demo/a.ts does not open with a /** header */: what it is and owns.",
  ]);
  expect(messagesFor("demo/a.ts", `/** A. */\n${"a();\n".repeat(500)}`)).toEqual([
    "demo/a.ts has 501 lines, over 500. Divide it by subject.",
  ]);
  expect(messagesFor("demo/a.ts", `/** A. */\n${longFunction}`)).toEqual([
    "demo/a.ts:2 function long has 72 lines, over 70.",
  ]);
  expect(messagesFor("packages/x/src/run-helpers.ts", "/** A. */\n")).toHaveLength(1);
  expect(messagesFor("packages/x/src/common/run.ts", "/** A. */\n")).toHaveLength(1);
});

test.each([
  "const a = Date.now();",
  "const a = new Date(0);",
  "const a = Math.random();",
  "setTimeout(a, 1);",
  "setInterval(a, 1);",
  "queueMicrotask(a);",
  "async function a() {}",
  "for (const a of b) await a;",
  "const a = new Promise(b);",
  "const a = Promise.resolve();",
  "const a = crypto.randomUUID();",
  "const a = process.env;",
  "console.log(a);",
  "const a = globalThis.a;",
  "const a = `${Date.now()}`;",
])("pure code may not say %s", (code) => {
  expect(inPureCode(code)).toHaveLength(1);
});

test("a ban says what to do instead, and holds for pure code alone", () => {
  expect(inPureCode("const a = Date.now();")).toEqual([
    "packages/orchestrator/src/a.ts:2 uses Date.now. Time comes in as `now` (milliseconds) with the circumstances of a transition.",
  ]);
  expect(messagesFor("packages/proof/src/a.ts", "/** A. */\nconst a = Date.now();\n")).toEqual([]);
});

test.each([
  "// await Date.now()",
  'const a = "process died";',
  "const a = `crypto ${b} await`;",
  "const a = /await Date.now/;",
  "const a = b.crypto;",
  "type A = Promise<number>;",
])("pure code may say %s", (code) => {
  expect(inPureCode(code)).toEqual([]);
});

test("blanking keeps code, positions and line ends, and nothing else", () => {
  const source = 'a(/* x\n */ "b\\"c", `d${e("f", { g: 1 })}h`, /[/"]/g, i / 2 / j); // k\nreturn /l/;';
  const blank = blankText(source);
  expect(blank).toHaveLength(source.length);
  expect(blank.replaceAll(/ +/g, " ")).toBe('a( \n " ", ` ${e(" ", { g: 1 })} `, / /g, i / 2 / j); \nreturn / /;');
});

test("functions of every form are measured, with their names", () => {
  const source = `function one(a: { b: 1 }): { c: number } {
  if (a) {
    b();
  }
}
const two = async <T>(a: T): Promise<Record<string, { b: T }>> => {
  return a;
};
class Three {
  constructor(readonly a = () => 1) {}
  get four(): (a: string) => { b: 1 } {
    return 4;
  }
  static async #five<T extends { a: 1 }>(a: T): Promise<void> {
  }
}
six(
  (a) =>
    a.seven(),
);
interface Eight { nine(): { a: 1 }; ten: (a: 1) => void }
`;
  const measured = measureFunctions(source).map(({ name, line, lines }) => `${name} ${line} ${lines}`);
  const expected = ["one 1 5", "two 6 3", "constructor 10 1", "a 10 1", "four 11 3", "(anonymous) 11 1", "#five 14 2"];
  expect(measured.toSorted()).toEqual([...expected, "six 18 2", "ten 21 1"].toSorted());
});
