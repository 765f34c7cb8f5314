/** How long sentences of documents are. The bounds only go down. `pnpm english --long` prints the long sentences. */
import { expect, test } from "vitest";
import { readFiles } from "../source-files.ts";
import { GROUPS, type LongSentence, WORDS_MAX, describeLong, measure } from "./measure.ts";
import { readSentences } from "./sentences.ts";

test.each(Object.entries(GROUPS))(
  "the text of %s has short sentences",
  (_group, { patterns, longOfThousand, longest }) => {
    const { sentences, long } = measure(readFiles(...patterns));
    expect(sentences).toBeGreaterThan(500);
    const share = Math.floor((long.length * 1000) / sentences);
    expect(share, tooMany(long)).toBeLessThanOrEqual(longOfThousand);
    const over = long.filter(({ words }) => words > longest);
    expect(over, over.map(describeLong).join("\n")).toEqual([]);
  },
);

const tooMany = (long: readonly LongSentence[]): string =>
  `Sentences of more than ${WORDS_MAX} words:\n${long.map(describeLong).join("\n")}`;

test("paragraphs, items, cells and headings end a sentence, and code is one word", () => {
  const page = [
    "---",
    "title: Not read",
    "---",
    "",
    "# A heading",
    "",
    "One sentence over",
    "two lines. `code` begins another one: `a b c`.",
    "",
    "- an item",
    "  of two lines",
    "- [another](https://x.example/a-b-c) item",
    "",
    "| a cell | of `x \\| y` |",
    "| ------ | ---------- |",
    "",
    "```ts",
    "not read",
    "```",
    "It takes 1.5 MB.",
  ].join("\n");
  expect(readSentences(page).map(({ line, words }) => [line, words])).toEqual([
    [5, 2],
    [7, 5],
    [7, 5],
    [10, 5],
    [12, 2],
    [14, 2],
    [14, 2],
    [20, 4],
  ]);
});
