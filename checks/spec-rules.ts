/**
 * Which rules of SPEC.md are cited by a test, and which are not.
 *
 * Owns: what defines a rule (its id in bold) and what cites it (its id as a word in the title of a test that runs).
 */
import type { SourceFile } from "./source-files.ts";
import { type SyntaxNode, parseSource } from "./syntax.ts";

export interface RuleReport {
  /** Cited by no test. */
  readonly uncited: readonly string[];
  /** Cited, but defined nowhere. */
  readonly unknown: readonly string[];
}

export function compareRules(spec: string, tests: readonly SourceFile[]): RuleReport {
  const rules = new Set([...spec.matchAll(/\*\*([A-Z]+\d+)\b[^*\n]*\*\*/g)].map((match) => match[1] ?? ""));
  const families = new Set([...rules].map(familyOf));
  const words = new Set(tests.flatMap(findTitles).flatMap((title) => title.match(/\w+/g) ?? []));
  const cited = new Set([...words].filter((word) => /^[A-Z]+\d+$/.test(word) && families.has(familyOf(word))));
  return {
    uncited: [...rules].filter((rule) => !cited.has(rule)),
    unknown: [...cited].filter((rule) => !rules.has(rule)),
  };
}

/** The titles of all tests in a file, apart from those that are skipped or still to be written. */
export function findTitles(file: SourceFile): readonly string[] {
  return parseSource(file).nodes.flatMap((node) => {
    const { callee, arguments: [title] = [] } = node as SyntaxNode & { readonly arguments?: readonly SyntaxNode[] };
    if (node.type !== "CallExpression" || title === undefined || !isTest(callee)) return [];
    if (title.type === "TemplateLiteral") return [file.text.slice(title.start + 1, title.end - 1)];
    return typeof title["value"] === "string" ? [title["value"]] : [];
  });
}

/** `test`, `it`, what hangs on them (`test.only`), and what calls of those give back (`test.each(…)`). */
function isTest(callee: unknown): boolean {
  const { name, object, property, callee: inner } = callee as Readonly<Record<string, { readonly name?: unknown }>>;
  if (inner !== undefined) return isTest(inner);
  if (object === undefined) return (name as unknown) === "test" || (name as unknown) === "it";
  return !/^(?:skip|todo|fails)$/.test(String(property?.name)) && isTest(object);
}

function familyOf(rule: string): string {
  return rule.replace(/\d+$/, "");
}
