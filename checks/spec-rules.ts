/**
 * Which rules of SPEC.md are cited by a test, and which are not.
 *
 * Owns: what defines a rule (its id in bold) and what cites it (its id as a word in the title of a test that runs).
 */
import type { SourceFile } from "./source-files.ts";
import { blankText } from "./source-text.ts";

export interface RuleReport {
  /** Cited by no test. */
  readonly uncited: readonly string[];
  /** Cited, but defined nowhere. */
  readonly unknown: readonly string[];
}

export function compareRules(spec: string, tests: readonly SourceFile[]): RuleReport {
  const rules = new Set([...spec.matchAll(/\*\*([A-Z]+\d+)\b[^*\n]*\*\*/g)].map((match) => match[1] ?? ""));
  const families = new Set([...rules].map(familyOf));
  const words = new Set(tests.flatMap(({ text }) => findTitles(text)).flatMap((title) => title.match(/\w+/g) ?? []));
  const cited = new Set([...words].filter((word) => /^[A-Z]+\d+$/.test(word) && families.has(familyOf(word))));
  return {
    uncited: [...rules].filter((rule) => !cited.has(rule)),
    unknown: [...cited].filter((rule) => !rules.has(rule)),
  };
}

/** The titles of all tests in a file, apart from those that are skipped or still to be written. */
export function findTitles(source: string): readonly string[] {
  const code = blankText(source);
  return [...code.matchAll(/(?<![\w$.])(?:test|it)((?:\.\w+)*)(?=\s*[(<])/g)].flatMap((match) => {
    if (/\.(?:skip|todo|fails)\b/.test(match[1] ?? "")) return [];
    const start = titleStart(code, match.index + match[0].length);
    if (start === undefined) return [];
    const end = code.indexOf(code[start] ?? "", start + 1);
    return [source.slice(start + 1, end)];
  });
}

/** The quote that opens the title: the first argument of the last call in `test.each(…)(title, …)`. */
function titleStart(code: string, from: number): number | undefined {
  for (let at = from; at < code.length;) {
    const open = code.indexOf("(", at);
    const quote = /^\(\s*["'`]/.exec(code.slice(open));
    if (open === -1 || quote !== null) return quote === null ? undefined : open + quote[0].length - 1;
    at = closingOf(code, open) + 1;
    if (code[at] !== "(") return undefined;
  }
  return undefined;
}

function closingOf(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === "(") depth += 1;
    else if (code[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  return code.length;
}

function familyOf(rule: string): string {
  return rule.replace(/\d+$/, "");
}
