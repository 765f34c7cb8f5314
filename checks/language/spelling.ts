/**
 * The spelling of documents and comments.
 *
 * Owns: what counts as a word, and which words are right: those of a dictionary of British English, which most of the text
 * follows, and those of `words.txt`. What looks like a name of code is not checked: `ctx.step`, `AGENTS.md`, `RunHandle`.
 */
import { readFileSync } from "node:fs";
import dictionary from "dictionary-en-gb";
import spell from "nspell";
import type { SourceFile } from "../source-files.ts";
import { parseSource } from "../syntax.ts";
import { readSentences } from "./sentences.ts";

export interface WrittenWord {
  readonly path: string;
  /** The line on which its paragraph begins. */
  readonly line: number;
  readonly word: string;
}

/** Words that are right and not in the dictionary, in lower case, one a line. */
export const LISTED: readonly string[] = readFileSync(new URL("words.txt", import.meta.url), "utf8")
  .trimEnd()
  .split("\n");

/** A capital after another letter, a digit, a slash, a dot between letters. */
const NAME = /\p{L}\p{Lu}|[\d_@/\\=]|\p{L}[.:]\p{L}/u;

const speller = spell(Buffer.from(dictionary.aff), Buffer.from(dictionary.dic));
const known = new Map<string, boolean>();

/** Returns the words that the dictionary does not have, listed or not. */
export function findUnknown({ path, text }: SourceFile): readonly WrittenWord[] {
  return readSentences(openFrontMatter(text)).flatMap((sentence) =>
    readWords(sentence.text)
      .filter((word) => !isKnown(word))
      .map((word) => ({ path, line: sentence.line, word })),
  );
}

/** Returns the comments of a source file, each on its lines, without code. */
export function readComments(file: SourceFile): SourceFile {
  const { comments, lineAt } = parseSource(file);
  const lines: string[] = Array.from(file.text.split("\n"), () => "");
  for (const { value, start } of comments)
    for (const [i, line] of value.split("\n").entries())
      lines[lineAt(start) - 1 + i] = line.replace(/^[ *]*(?:@\w+|oxlint-.*)?/u, "");
  return { path: file.path, text: lines.join("\n") };
}

/** Turns the title and the summary of a page into text, on their lines. */
function openFrontMatter(document: string): string {
  return document.replace(/^---\n([^]*?)\n---\n/u, (_, front: string) => {
    const lines = front.split("\n").map((line) => /^(?:title|summary): (.*)$/u.exec(line)?.[1] ?? "");
    return `\n${lines.join("\n")}\n\n`;
  });
}

function readWords(sentence: string): readonly string[] {
  return sentence
    .replaceAll("’", "'")
    .split(/[\s\p{Dash}()[\]"“”,;…]+/u)
    .filter((token) => !NAME.test(token))
    .flatMap((token) => token.match(/\p{L}+(?:'\p{L}+)*/gu) ?? [])
    .map((word) => word.replace(/'s$/u, ""))
    .filter((word) => word.length > 1);
}

function isKnown(word: string): boolean {
  const found = known.get(word) ?? speller.correct(word);
  known.set(word, found);
  return found;
}
