/**
 * The sentences of a document.
 *
 * Owns: what a reader reads as one sentence: paragraphs, items of lists, cells of tables and headings each end one. Code in a
 * line counts as one word; blocks of code, front matter, comments and addresses are left out. Sentences are found by the
 * rules of Unicode (`Intl.Segmenter`).
 */

export interface Sentence {
  /** The number of the line on which its block starts, from 1. */
  readonly line: number;
  readonly text: string;
  readonly words: number;
}

const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
const WORDS = new Intl.Segmenter("en", { granularity: "word" });

export function readSentences(document: string): readonly Sentence[] {
  return readBlocks(document).flatMap(({ line, text }) => splitSentences(text).map((one) => ({ line, ...one })));
}

interface TextBlock {
  readonly line: number;
  readonly text: string;
}

/** Returns paragraphs, items, headings and cells, each on one line. */
function readBlocks(document: string): readonly TextBlock[] {
  const blocks: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | undefined;
  const plain = document
    .replaceAll(/^---\n[^]*?^---$/gmu, (found, at: number) => (at === 0 ? blank(found) : found))
    .replaceAll(/^ *```[^]*?^ *```$/gmu, blank)
    .replaceAll(/<!--[^]*?-->/gu, blank);
  for (const [i, line] of plain.split("\n").entries()) {
    const line1 = i + 1;
    if (/^\s*$|^\s*<\/?\w|^ *\|[ :|-]+\|$/u.test(line)) open = undefined;
    else if (/^ *\|/u.test(line)) {
      open = undefined;
      for (const cell of line.split(/(?<!\\)\|/u)) blocks.push({ line: line1, text: cell });
    } else if (open === undefined || /^\s*(?:[-*+]|\d+\.|#+|>)\s/u.test(line)) {
      open = { line: line1, text: line.replace(/^\s*(?:[-*+]|\d+\.|#+|>)\s+/u, "") };
      blocks.push(open);
      if (line.startsWith("#")) open = undefined;
    } else open.text += ` ${line.trim()}`;
  }
  return blocks.map(({ line, text }) => ({ line, text: withoutMarks(text) }));
}

function splitSentences(text: string): readonly Omit<Sentence, "line">[] {
  return [...SENTENCES.segment(text)].flatMap(({ segment }) => {
    const words = [...WORDS.segment(segment)].filter(({ isWordLike }) => isWordLike).length;
    return words === 0 ? [] : [{ text: segment.trim(), words }];
  });
}

/** Text without marks, addresses and code. `Code`: one word, which ends no sentence. */
function withoutMarks(text: string): string {
  return text
    .replaceAll(/``[^`]*`[^`]*`[^`]*``|`[^`]*`/gu, "Code")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replaceAll(/<?https?:\/\/\S+>?/gu, "address")
    .replaceAll(/\*{1,3}|(?<!\w)_{1,3}|_{1,3}(?!\w)/gu, "")
    .replaceAll(/<[^>]*>/gu, "")
    .replaceAll(/\b(?:e\.g|i\.e|vs|etc)\./gu, "such");
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/gu, " ");
}
