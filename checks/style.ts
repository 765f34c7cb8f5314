/**
 * The style rules that the linter does not cover.
 *
 * Owns: the rules about headers and file names, the count of casts, and the syntax that pure code must not contain. The
 * linter checks sizes, import cycles, and globals of the platform (.oxlintrc.json).
 */
import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";
import { type Syntax, type SyntaxNode, isNode, parseSource } from "./syntax.ts";

/** Words in names of files and folders that name no subject. */
const EMPTY_NAMES = new Set(["util", "utils", "helper", "helpers", "manager", "common", "misc"]);

/** Folders with pure code: the same input gives the same result, at any time and on any platform. */
const PURE_FOLDERS: readonly string[] = ["packages/protocol/src/", "packages/orchestrator/src/"];

/** The part of a pure package that uses the web platform. It is a separate entry point. */
const PLATFORM_FOLDER = "packages/protocol/src/transport/";

const SYNCHRONOUS = "Pure code is synchronous: return the work as an effect, and the host does it.";
const NO_CLOCK = "Time comes in as `now` (milliseconds). Keep times as milliseconds.";

export type StyleRule = "header" | "name" | "pure";

export interface StyleProblem {
  readonly rule: StyleRule;
  readonly path: string;
  readonly message: string;
}

export function checkStyle(file: SourceFile): readonly StyleProblem[] {
  const found: readonly (readonly [StyleRule, readonly string[]])[] = [
    ["header", checkHeader(file.text)],
    ["name", checkName(file.path)],
    ["pure", isPure(file.path) ? checkPure(parseSource(file)) : []],
  ];
  return found.flatMap(([rule, messages]) =>
    messages.map((message) => ({ rule, path: file.path, message: `${file.path}${message}` })),
  );
}

function isPure(path: string): boolean {
  return PURE_FOLDERS.some((folder) => path.startsWith(folder)) && !path.startsWith(PLATFORM_FOLDER);
}

/** Returns the lines with a cast (`x as T`). `as const`, `satisfies` and renamed imports are not casts. */
export function findCasts(file: SourceFile): readonly number[] {
  const { nodes, lineAt } = parseSource(file);
  const casts = nodes.filter(
    (node) => node.type === "TSTypeAssertion" || (node.type === "TSAsExpression" && !isConst(node)),
  );
  return casts.map(({ start }) => lineAt(start));
}

function isConst({ typeAnnotation }: SyntaxNode): boolean {
  const { typeName } = typeAnnotation as { readonly typeName?: { readonly name?: unknown } };
  return typeName?.name === "const";
}

function checkHeader(text: string): readonly string[] {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(text.replace(/^#!.*\n/, ""))?.[1];
  return header !== undefined && /\w/.test(header) ? [] : [" does not open with a /** header */: what it is and owns."];
}

function checkName(path: string): readonly string[] {
  const inPackage = path.replace(/^.*?\bsrc\//, "").slice(0, -posix.extname(path).length);
  const empty = inPackage.split(/[-_./]/).find((word) => EMPTY_NAMES.has(word.toLowerCase()));
  return empty === undefined ? [] : [` is named "${empty}", which names no subject. Name the file after its subject.`];
}

function checkPure({ nodes, lineAt }: Syntax): readonly string[] {
  return nodes.flatMap((node) => {
    const what = impurityOf(node);
    return what === undefined ? [] : [`:${lineAt(node.start)} ${what}`];
  });
}

function impurityOf({ type, async: isAsync, await: isAwaited, callee }: SyntaxNode): string | undefined {
  if (isAsync === true) return `has an async function. ${SYNCHRONOUS}`;
  if (type === "AwaitExpression" || isAwaited === true) return `awaits. ${SYNCHRONOUS}`;
  if (type === "NewExpression" && isNode(callee) && callee["name"] === "Date") return `makes a Date. ${NO_CLOCK}`;
  return undefined;
}
