/**
 * Checks the tables of docs/guarantees.md: each rule that they cite exists, a test that they name cites it, and no rule for
 * users is missing. Also checks the values of the limits that the page repeats.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LIMITS, DEFAULT_RETRY, HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { REPOSITORY, readFiles } from "./source-files.ts";
import { findTitles, listRules } from "./spec-rules.ts";

/** The families of rules that are not promises about runs, and the page that has them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  PIPE: "SPEC.md",
  ACT: "docs/reference/dashboard.md",
  LIVE: "docs/reference/dashboard.md",
  DASH: "docs/reference/dashboard.md",
  CLI: "docs/reference/cli.md",
  DEV: "docs/how-to/develop-locally.md",
};

interface Promised {
  readonly line: string;
  readonly rules: readonly string[];
  /** Paths of tests, from the root. */
  readonly tests: readonly string[];
}

const PAGE = readFiles("docs/guarantees.md")[0]?.text ?? "";
const RULES = new Set(listRules(readFiles("SPEC.md")[0]?.text ?? ""));
const PROMISES = readPromises(PAGE);

test("every rule on docs/guarantees.md exists in SPEC.md", () => {
  const unknown = PROMISES.flatMap(({ rules }) => rules).filter((rule) => !RULES.has(rule));
  expect(PROMISES.length).toBeGreaterThan(50);
  expect(unknown).toEqual([]);
});

test("every rule of SPEC.md for users is on docs/guarantees.md, and the others have a page of their own", () => {
  const shown = new Set(PROMISES.flatMap(({ rules }) => rules));
  const missing = [...RULES].filter((rule) => ELSEWHERE[rule.replace(/\d+$/, "")] === undefined && !shown.has(rule));
  expect(missing, "add a row for these rules").toEqual([]);
  expect(Object.values(ELSEWHERE).filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

test("every rule on docs/guarantees.md is cited by a title in a test that its row names", () => {
  const uncited = PROMISES.flatMap(({ rules, tests }) => {
    const titles = tests.flatMap((path) =>
      existsSync(join(REPOSITORY, path))
        ? findTitles({ path, text: readFileSync(join(REPOSITORY, path), "utf8") })
        : [],
    );
    const words = new Set(titles.flatMap((title) => title.match(/\w+/g) ?? []));
    return rules.filter((rule) => !words.has(rule)).map((rule) => `${rule} in ${tests.join(", ")}`);
  });
  expect(uncited).toEqual([]);
});

test("every promise has a rule, a test and a limit", () => {
  const bare = PROMISES.filter(
    ({ rules, tests, line }) => rules.length === 0 || tests.length === 0 || / \| (—)? *\| /.test(line),
  );
  expect(bare.map(({ line }) => line)).toEqual([]);
});

test("the limits that docs/guarantees.md repeats have these values", () => {
  const all = { ...LIMITS, ...HOST_LIMITS, ...DEFAULT_LIMITS };
  expect([all.valueChars, all.requestBytes, all.metadataChars]).toEqual([10 * 1024 ** 2, 1024 ** 2, 64 * 1024]);
  expect([all.inboxDeliveries, all.openWaits, all.openOperations]).toEqual([1_000, 1_000, 10_000]);
  expect([all.silentMsMax, all.dispatchRetryMs, all.executorCrashes]).toEqual([40_000, 6 * 3_600_000, 10]);
  expect(DEFAULT_RETRY.max).toBe(3);
});

/** The rows of the tables with rules and tests: what is promised, and what is not. */
function readPromises(page: string): readonly Promised[] {
  const [, tables = ""] = page.split("\n## Promised\n");
  return (tables.split("\n## Limits that people meet")[0] ?? "").split("\n").flatMap((line) => {
    const [, promise = "", , rules = "", tests = ""] = line.split("|");
    if (!line.startsWith("| ") || /^ (promise|not promised|---)/.test(promise) || rules.trim() === "none") return [];
    return [
      {
        line,
        rules: rules.match(/\w+/g) ?? [],
        tests: [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = ""]) => path),
      },
    ];
  });
}
