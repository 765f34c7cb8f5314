/**
 * The long sentences of groups of documents.
 *
 * Owns: the groups with their bounds. Pages of users have shorter sentences than those of contributors, whose rules are exact.
 */
import type { SourceFile } from "../source-files.ts";
import { type Sentence, readSentences } from "./sentences.ts";

/** A sentence with more words is long. */
export const WORDS_MAX = 25;

export interface LongSentence extends Sentence {
  readonly path: string;
}

interface Group {
  readonly patterns: readonly string[];
  /** How many of a thousand sentences may be long. */
  readonly longOfThousand: number;
  /** The words of the longest sentence. */
  readonly longest: number;
}

/** Bounds that only go down. */
export const GROUPS: Readonly<Record<string, Group>> = {
  users: {
    patterns: [
      "README.md",
      "SECURITY.md",
      "docs/*.md",
      "docs/{tutorial,concepts,how-to,reference,coming-from}/**/*.md",
      "{packages,apps,examples,deploy}/*/README.md",
    ],
    longOfThousand: 14,
    longest: 45,
  },
  contributors: {
    patterns: ["{SPEC,ARCHITECTURE,AGENTS,CONTRIBUTING}.md", "docs/design/*.md", "packages/protocol/PROTOCOL.md"],
    longOfThousand: 82,
    longest: 71,
  },
};

export function measure(files: readonly SourceFile[]): {
  readonly sentences: number;
  readonly long: readonly LongSentence[];
} {
  const all = files.flatMap(({ path, text }) => readSentences(text).map((one) => ({ path, ...one })));
  return { sentences: all.length, long: all.filter(({ words }) => words > WORDS_MAX) };
}

export function describeLong({ path, line, words, text }: LongSentence): string {
  return `${path}:${line}: ${words} words: ${text}`;
}
