/**
 * Compares the rules of SPEC.md with the rules that tests cite.
 *
 * Owns: the definition of a rule (its id in bold), and of a citation (the id as a word in the title of a test that runs).
 */
import type { SourceFile } from "./source-files.ts";
import { type SyntaxNode, parseSource } from "./syntax.ts";

export interface RuleReport {
  /** Rules that no test cites. */
  readonly uncited: readonly string[];
  /** Cited ids that SPEC.md does not define. */
  readonly unknown: readonly string[];
}

export function compareRules(spec: string, tests: readonly SourceFile[]): RuleReport {
  const rules = new Set(listRules(spec));
  const families = new Set([...rules].map(familyOf));
  const words = new Set(tests.flatMap(findTitles).flatMap((title) => title.match(/\w+/g) ?? []));
  const cited = new Set([...words].filter((word) => /^[A-Z]+\d+$/.test(word) && families.has(familyOf(word))));
  return {
    uncited: [...rules].filter((rule) => !cited.has(rule)),
    unknown: [...cited].filter((rule) => !rules.has(rule)),
  };
}

/** Returns the ids of the rules that a specification defines, in its order. */
export function listRules(spec: string): readonly string[] {
  return [...spec.matchAll(/\*\*([A-Z]+\d+)\b[^*\n]*\*\*/g)].map((match) => match[1] ?? "");
}

/** Returns the titles of all tests in a file, except skipped tests and todos. */
export function findTitles(file: SourceFile): readonly string[] {
  return parseSource(file).nodes.flatMap((node) => {
    const { callee, arguments: [title] = [] } = node as SyntaxNode & { readonly arguments?: readonly SyntaxNode[] };
    if (node.type !== "CallExpression" || title === undefined || !isTest(callee)) return [];
    if (title.type === "TemplateLiteral") return [file.text.slice(title.start + 1, title.end - 1)];
    return typeof title["value"] === "string" ? [title["value"]] : [];
  });
}

/** Whether a callee is `test`, `it`, a member of them (`test.only`), or the result of a call of a member (`test.each(…)`). */
function isTest(callee: unknown): boolean {
  const { name, object, property, callee: inner } = callee as Readonly<Record<string, { readonly name?: unknown }>>;
  if (inner !== undefined) return isTest(inner);
  if (object === undefined) return (name as unknown) === "test" || (name as unknown) === "it";
  return !/^(?:skip|todo|fails)$/.test(String(property?.name)) && isTest(object);
}

function familyOf(rule: string): string {
  return rule.replace(/\d+$/, "");
}
