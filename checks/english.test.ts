/** Checks that no text uses a word of the glossary more often than is allowed. The counts only shrink. */
import { expect, test } from "vitest";
import { EXCEPTIONS } from "./english-words.ts";
import { areaOf, checkEnglish, countByArea, describeFinding, readAllowed, readWritten } from "./english.ts";

const FINDINGS = readWritten().flatMap(checkEnglish);

const wordsIn = (path: string, text: string) => checkEnglish({ path, text }).map(({ word, line }) => `${line} ${word}`);

test("every text uses the standard terms, but for what is counted", () => {
  const allowed = readAllowed();
  const over = Object.entries(countByArea(FINDINGS)).filter(([area, count]) => count > (allowed[area] ?? 0));
  const found = over.flatMap(([area]) => FINDINGS.filter(({ path }) => areaOf(path) === area).map(describeFinding));
  const counts = over.map(([area, count]) => `${area}: ${count} of ${allowed[area] ?? 0}`);
  expect(counts, found.join("\n")).toEqual([]);
});

test("names, comments, titles and messages are read, in their words, in JSX too", () => {
  const text = `/**
 * It is told; what goes
 * on is \`owed\`.
 */
const whatIsOwed = (told: string) => "whoever asks" + "owed";
interface Heard { quietTime: 1 }
test(\`nobody \${heard} anew\`, f);`;
  expect(wordsIn("demo/a.ts", text)).toEqual([
    "5 owed",
    "5 told",
    "6 heard",
    "6 quiet",
    "2 told",
    "2 goes on",
    "5 whoever",
    "7 anew",
  ]);
  expect(wordsIn("demo/trouble.test.ts", "")).toEqual(["1 trouble"]);
  expect(wordsIn("demo/a.tsx", "export const page = <p>\n  It waits anew\n</p>;")).toEqual(["2 anew"]);
});

test("documents are read without their code", () => {
  expect(wordsIn("docs/a.md", "# Told\n\n```\nowed\n```\n`anew` and then anew\n")).toEqual(["1 told", "6 anew"]);
});

test("fields of stored entries keep their names", () => {
  expect(wordsIn("packages/protocol/src/journal.ts", "interface A { asked: number }")).toEqual([]);
  expect(EXCEPTIONS.every(({ why }) => why.length > 0)).toBe(true);
});
