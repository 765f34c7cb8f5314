/** Numbers that documents take from measurements and limits are those of their sources: `<!-- from: SOURCE#PATH -->`. */
import { expect, test } from "vitest";
import { readPages } from "../../site/pages.ts";
import { readFiles } from "../source-files.ts";
import { checkNumbers } from "./numbers.ts";

const COUNTS = "benchmarks/counts.json#inline/10 steps in a row/rowsWritten";
const faultsOf = (line: string) =>
  checkNumbers({ path: "a.md", text: line }).wrong.map((fault) => fault.replace(/^a\.md:1: <!--[^]*?-->: /u, ""));

test("each number with a source is the one of the source", () => {
  const marks = readFiles("*.md", "docs/**/*.md").map(checkNumbers);
  expect(marks.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(marks.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(60);
});

test("no page of the site and of llms.txt has a source", () => {
  expect(readPages().filter(({ text }) => text.includes("<!-- from"))).toEqual([]);
});

test.each([
  `13 rows<!-- from: ${COUNTS} -->`,
  `**13**<!-- from: ${COUNTS} -->`,
  `about 10<!-- from: ${COUNTS} --> rows`,
  `$1.30<!-- from: ${COUNTS} × 0.1 -->`,
  `1,300,000<!-- from: ${COUNTS} × 100000 -->, 1.3 million<!-- from: ${COUNTS} × 100000 -->`,
  "10 MiB<!-- from: limits#valueChars -->, ten minutes<!-- from: limits#connectAgainMs -->",
])("%s is right", (line) => {
  expect(faultsOf(line)).toEqual([]);
});

test.each([
  [`14 rows<!-- from: ${COUNTS} -->`, "the source has 13 rows"],
  [`10<!-- from: ${COUNTS} -->`, "the source has 13"],
  [`about 20<!-- from: ${COUNTS} -->`, "the source has 13"],
  [`113<!-- from: ${COUNTS} -->`, "the source has 13"],
  ["41 s<!-- from: limits#silentMsMax -->", "the source has 40 s"],
  [`many<!-- from: ${COUNTS} -->`, "no number is before it"],
  ["13<!-- from: limits#noSuchLimit -->", "the source has no such number"],
  ["13<!-- from: no-such-file.json#a -->", "the source has no such number"],
  ["13<!-- from: README.md#a -->", "the source has no such number"],
  ["64<!-- from: limits#\ntags -->", "the source has no such number"],
  ["13<!--from: limits#tags-->", "the source has no such number"],
  ["13<!-- from: benchmarks/counts.json#inline -->", "the source has no such number"],
])("%s is wrong: %s", (line, fault) => {
  expect(faultsOf(line)).toEqual([fault]);
});
