/**
 * Parses TypeScript into a syntax tree, for the checks.
 *
 * Owns: the parser (oxc), the walk over the nodes, and the computation of lines. A file that does not parse is an error.
 */
import { type Comment, type EcmaScriptModule, parseSync } from "oxc-parser";
import type { SourceFile } from "./source-files.ts";

export interface SyntaxNode {
  readonly type: string;
  /** Offsets into the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Syntax {
  readonly nodes: readonly SyntaxNode[];
  readonly comments: readonly Comment[];
  readonly module: EcmaScriptModule;
  /** The line of an offset, counted from 1. */
  readonly lineAt: (offset: number) => number;
}

export function parseSource({ path, text }: SourceFile): Syntax {
  const { program, comments, module, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const nodes: SyntaxNode[] = [];
  collect(program, nodes);
  return { nodes, comments, module, lineAt: (offset) => text.slice(0, offset).split("\n").length };
}

/** Collects all nodes in the order of the text, each before its descendants. */
function collect(value: unknown, into: SyntaxNode[]): void {
  if (typeof value !== "object" || value === null) return;
  if (isNode(value)) into.push(value);
  for (const part of Object.values(value)) collect(part, into);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
