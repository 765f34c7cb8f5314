/**
 * Checks the tables of docs/guarantees.md: each rule that they cite exists, and a test that they name cites it. Also checks
 * the values of the limits that the page repeats. spec-rules.test.ts finds rules that are missing.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LIMITS, DEFAULT_RETRY, HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { ELSEWHERE, readPromises } from "./guarantees.ts";
import { REPOSITORY, readFiles } from "./source-files.ts";
import { findTitles, listRules } from "./spec-rules.ts";

const PAGE = readFiles("docs/guarantees.md")[0]?.text ?? "";
const RULES = new Set(listRules(readFiles("SPEC.md")[0]?.text ?? ""));
const PROMISES = readPromises(PAGE);

test("every rule on docs/guarantees.md exists in SPEC.md", () => {
  const unknown = PROMISES.flatMap(({ rules }) => rules).filter((rule) => !RULES.has(rule));
  expect(PROMISES.length).toBeGreaterThan(50);
  expect(unknown).toEqual([]);
});

test("every page that has rules in place of docs/guarantees.md exists", () => {
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
