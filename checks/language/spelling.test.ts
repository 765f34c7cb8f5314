/** Every word of documents and comments is spelled right, in British English. Add words that are right to `words.txt`. */
import { expect, test } from "vitest";
import { readFiles } from "../source-files.ts";
import { LISTED, findUnknown, readComments } from "./spelling.ts";

const UNKNOWN = [
  ...readFiles("*.md", "docs/**/*.md", "{packages,apps,examples,deploy}/*/*.md"),
  ...readFiles("{packages,apps}/*/src/**/*.{ts,tsx}").map(readComments),
].flatMap(findUnknown);

const wordsIn = (text: string) => findUnknown({ path: "a.md", text }).map(({ line, word }) => `${line} ${word}`);

test("every word of documents and comments is in the dictionary or in words.txt", () => {
  const wrong = UNKNOWN.filter(({ word }) => !LISTED.includes(word.toLowerCase()));
  expect(wrong.map(({ path, line, word }) => `${path}:${line}: ${word}`)).toEqual([]);
});

test("words.txt is sorted, in lower case, and has only words that a text uses and the dictionary does not have", () => {
  const used = new Set(UNKNOWN.map(({ word }) => word.toLowerCase()));
  expect(LISTED.filter((word) => !used.has(word))).toEqual([]);
  expect(LISTED).toEqual([...new Set(LISTED)].toSorted());
});

test("a wrong word, also in a title, after a capital, in a table, a list, a link or beside a dash, is found with its line", () => {
  const page = [
    "---",
    "title: A pge",
    "next: nott-read.md",
    "summary: Whta it is.",
    "---",
    "# Teh heading",
    "",
    "- an itme's end, re-recieve: **dont** [clik](a/nott-read.md).",
    "",
    "| a cel | _occured_ |",
    "",
    "The colour, not the color, of Wokflow.",
  ].join("\n");
  expect(wordsIn(page)).toEqual([
    "2 pge",
    "4 Whta",
    "6 Teh",
    "8 itme",
    "8 recieve",
    "8 dont",
    "8 clik",
    "10 cel",
    "10 occured",
    "12 color",
    "12 Wokflow",
  ]);
});

test("code, names of code, files, addresses and units are not read", () => {
  expect(
    wordsIn("`nott` ctx.stepp, RunHandel, INVALID_ARGUMNT, reed.md, src/reed, https://exampel.com, 32MiBs, 5x"),
  ).toEqual([]);
  expect(wordsIn("```ts\nnott\n```\n<!-- nott -->")).toEqual([]);
});

test("comments are read without code and marks", () => {
  const text =
    "/**\n * Teh `nott` of\n * @reed it.\n */\nconst nott = 1; // recieve\n// oxlint-disable-next-line nott\n";
  const file = readComments({ path: "a.ts", text });
  expect(findUnknown(file).map(({ line, word }) => `${line} ${word}`)).toEqual(["2 Teh", "5 recieve"]);
});
