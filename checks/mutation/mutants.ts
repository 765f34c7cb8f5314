/**
 * Mutants: small changes to a source file that its tests should notice.
 *
 * Owns: the kinds of changes. Types, texts, imports and assertions are not changed.
 */
import type { SourceFile } from "../source-files.ts";
import { type SyntaxNode, isNode, parseSource } from "../syntax.ts";

export interface Mutant {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly kind: string;
  /** The offsets of the text that is replaced. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

type Change = Pick<Mutant, "kind" | "start" | "end" | "replacement">;

/** The operators that replace each operator. */
const OPERATORS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "+": "-",
  "-": "+",
  "*": "/",
  "&&": "||",
  "||": "&&",
};

/** The methods that replace each method. */
const METHODS: Readonly<Record<string, string>> = {
  min: "max",
  max: "min",
  some: "every",
  every: "some",
  find: "findLast",
  findLast: "find",
  push: "unshift",
};

/** Returns all mutants of a file, in the order of their places. */
export function findMutants(file: SourceFile): Mutant[] {
  const { nodes, lineAt } = parseSource(file);
  const excluded = nodes.filter(isExcluded);
  const isInside = ({ start, end }: SyntaxNode): boolean =>
    excluded.some((outer) => outer.start <= start && end <= outer.end);
  return nodes
    .filter((node) => !isInside(node))
    .flatMap((node) => changesOf(node, file.text))
    .map((change) => ({ path: file.path, line: lineAt(change.start), ...change }));
}

/** Returns the text of the file with the change. */
export function applyMutant(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function isExcluded(node: SyntaxNode): boolean {
  if (/^(TS.*|ImportDeclaration|TemplateLiteral|Decorator)$/.test(node.type)) {
    // Values inside of these are code of the program.
    return !/^TS(AsExpression|NonNullExpression|SatisfiesExpression|ParameterProperty)$/.test(node.type);
  }
  const { callee } = node;
  return node.type === "CallExpression" && isNode(callee) && callee["name"] === "assert";
}

function changesOf(node: SyntaxNode, text: string): Change[] {
  const { type, start, end } = node;
  switch (type) {
    case "BinaryExpression":
    case "LogicalExpression":
      return changeOperator(node, text);
    case "IfStatement":
      return ["true", "false"].flatMap((value) => changePart(node["test"], "condition", value));
    case "ConditionalExpression":
      return isNode(node["test"]) ? changePart(node["test"], "condition", `!(${textOf(node["test"], text)})`) : [];
    case "UnaryExpression":
      return node["operator"] === "!" && isNode(node["argument"])
        ? [{ kind: "negation", start, end, replacement: textOf(node["argument"], text) }]
        : [];
    case "Literal":
      return changeLiteral(node);
    case "ExpressionStatement":
      return !isExcluded(node["expression"] as SyntaxNode) ? [{ kind: "statement", start, end, replacement: ";" }] : [];
    case "ContinueStatement":
    case "BreakStatement":
      return [{ kind: "statement", start, end, replacement: ";" }];
    case "MemberExpression":
      return changeMethod(node["property"]);
    default:
      return [];
  }
}

function changeOperator({ left, right, operator }: SyntaxNode, text: string): Change[] {
  if (!isNode(left) || !isNode(right) || typeof operator !== "string") return [];
  const [from, to] = [left.end, right.start];
  if (operator === "??") return [{ kind: "operator", start: from, end: right.end, replacement: "" }];
  const other = OPERATORS[operator];
  if (other === undefined) return [];
  const between = text.slice(from, to);
  return [{ kind: "operator", start: from, end: to, replacement: between.replace(operator, other) }];
}

function changeLiteral({ value, start, end }: SyntaxNode): Change[] {
  if (typeof value === "boolean") return [{ kind: "literal", start, end, replacement: String(!value) }];
  if (typeof value === "number") return [{ kind: "literal", start, end, replacement: String(value + 1) }];
  return [];
}

function changeMethod(property: unknown): Change[] {
  if (!isNode(property) || typeof property["name"] !== "string") return [];
  const other = Object.hasOwn(METHODS, property["name"]) ? METHODS[property["name"]] : undefined;
  return other === undefined ? [] : changePart(property, "method", other);
}

function changePart(part: unknown, kind: string, replacement: string): Change[] {
  return isNode(part) ? [{ kind, start: part.start, end: part.end, replacement }] : [];
}

function textOf({ start, end }: SyntaxNode, text: string): string {
  return text.slice(start, end);
}
