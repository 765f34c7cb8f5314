/**
 * Finds functions and how many lines they take, by counting brackets in blanked text.
 *
 * Owns: what counts as a function: whatever has a parameter list and a body in braces, and arrow functions with either
 * kind of body. Function types are measured with them, which does no harm.
 */
import { blankText, lineAt } from "./source-text.ts";

export interface FunctionLength {
  readonly name: string;
  /** Where its parameter list begins, counted from 1. */
  readonly line: number;
  readonly lines: number;
}

const STATEMENT_BEFORE = /(?<![\w$.#])(?:if|for|for await|while|switch|catch|with)\s*$/;
/** After these, a `{` in a return type opens an object type and not the body. */
const TYPE_GOES_ON = /(?:[:|&<,(?[]|=>|\b(?:is|extends|keyof|readonly|infer|asserts|typeof))$/;

export function measureFunctions(source: string): readonly FunctionLength[] {
  const code = blankText(source);
  const pairs = matchBrackets(code);
  const found: FunctionLength[] = [];
  for (const [open, close] of pairs) {
    if (code[open] !== "(" || STATEMENT_BEFORE.test(code.slice(Math.max(0, open - 20), open))) continue;
    const end = endOfBody(code, pairs, close);
    if (end === undefined) continue;
    const line = lineAt(code, open);
    found.push({ name: nameBefore(code, open), line, lines: lineAt(code, end) - line + 1 });
  }
  return found;
}

/** Positions of opening brackets with those of their closing ones. */
function matchBrackets(code: string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (const { 0: bracket, index } of code.matchAll(/[()[\]{}]/g)) {
    if ("([{".includes(bracket)) open.push(index);
    else {
      const start = open.pop();
      if (start !== undefined) pairs.set(start, index);
    }
  }
  return pairs;
}

/** Where the body ends that belongs to the parameter list ending at `close`; undefined where there is none. */
function endOfBody(code: string, pairs: ReadonlyMap<number, number>, close: number): number | undefined {
  let at = skipSpace(code, close + 1);
  if (code[at] === ":") {
    const typed = endOfType(code, pairs, at + 1);
    if (typed === undefined) return undefined;
    at = typed;
  }
  if (code[at] === "{") return pairs.get(at);
  if (!code.startsWith("=>", at)) return undefined;
  const body = skipSpace(code, at + 2);
  return code[body] === "{" ? pairs.get(body) : endOfExpression(code, pairs, body);
}

/** From the colon of a return type to the `{` or `=>` after it. */
function endOfType(code: string, pairs: ReadonlyMap<number, number>, from: number): number | undefined {
  let typeArguments = 0;
  for (let at = from; at < code.length; at++) {
    const char = code[at] ?? "";
    if (";)]}".includes(char) || (char === "," && typeArguments === 0)) return undefined;
    if (char === "<") typeArguments += 1;
    if (char === ">") typeArguments -= 1;
    const closed = pairs.get(at);
    const functionType = char === "(" ? code.startsWith("=>", skipSpace(code, (closed ?? at) + 1)) : false;
    if (functionType) at = code.indexOf("=>", closed) + 1;
    else if (code.startsWith("=>", at)) return at;
    else if (char === "{" && !TYPE_GOES_ON.test(code.slice(from - 1, at).trimEnd())) return at;
    else if (closed !== undefined) at = closed;
    else if (char === "=") return undefined;
  }
  return undefined;
}

function endOfExpression(code: string, pairs: ReadonlyMap<number, number>, from: number): number {
  let at = from;
  while (at < code.length && !";,)]}".includes(code[at] ?? "")) at = (pairs.get(at) ?? at) + 1;
  return at;
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (/\s/.test(code[at] ?? "")) at += 1;
  return at;
}

/** The word before a parameter list, or the name that an arrow function is given to. */
function nameBefore(code: string, open: number): string {
  const before = code.slice(Math.max(0, open - 200), open);
  // Type parameters stand between the name and the list.
  const named = /(#?[\w$]+)\s*(?:<[^();]*>)?\s*$/.exec(before)?.[1];
  if (named !== undefined && named !== "async" && named !== "function") return named;
  return (
    /([\w$]+)\s*(?::[^=;{}]*)?[=:(]\s*(?:async\s*)?(?:function\s*)?(?:<[^();]*>)?\s*$/.exec(before)?.[1] ??
    "(anonymous)"
  );
}
