/**
 * JSON that a reader types.
 *
 * Owns: the value of the text, or the place and the reason of its first error. `JSON.parse` reports no place in some
 * browsers. A number that JavaScript would change, such as a whole number above 2^53, is an error: it would be sent as
 * another one. Laying the text out keeps its numbers and strings as they were typed.
 */
export type ParsedJson =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "empty" }
  | { readonly kind: "invalid"; readonly problem: JsonProblem };

/** `line` and `column` begin with 1. `at` is the index of the character. */
export interface JsonProblem {
  readonly at: number;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

type Expected = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or ]" | "comma or }" | "end";

const MESSAGES: Readonly<Record<Expected, string>> = {
  value: "A value belongs here.",
  "value or ]": "A value or ] belongs here.",
  key: "A name in double quotes belongs here.",
  "key or }": "A name in double quotes or } belongs here.",
  colon: "A colon belongs here.",
  "comma or ]": "A comma or ] belongs here.",
  "comma or }": "A comma or } belongs here.",
  end: "Nothing more may follow here.",
};

const SPACE = /[ \t\n\r]+/y;
// Written as ranges: a control character must not be in a string.
const STRING = String.raw`"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])`;
const TOKEN = new RegExp(`${STRING}"|(?:true|false|null)\\b|${NUMBER}|[[\\]{},:]`, "y");
/** The part of a string before its first character that is wrong. */
const STRING_BEGIN = new RegExp(STRING, "y");

interface Token {
  readonly text: string;
  readonly at: number;
}

export function parseJson(text: string): ParsedJson {
  if (text.trim() === "") return { kind: "empty" };
  const read = readTokens(text);
  if (!Array.isArray(read)) return { kind: "invalid", problem: read };
  return { kind: "value", value: JSON.parse(text) };
}

/** Returns the text in lines; the same text if it is not JSON. */
export function layOutJson(text: string): string {
  const read = readTokens(text);
  if (!Array.isArray(read)) return text;
  let depth = 0;
  return read
    .map(({ text: token }, n) => {
      const before = read[n - 1]?.text;
      const isEmpty = isOpening(before) && isClosing(token);
      if (isClosing(token)) return (depth--, isEmpty ? token : indent(depth) + token);
      const start = isOpening(before) || before === "," ? indent(depth) : "";
      if (isOpening(token)) depth++;
      return token === ":" ? ": " : start + token;
    })
    .join("");
}

function indent(depth: number): string {
  return `\n${"  ".repeat(depth)}`;
}

function isOpening(token: string | undefined): boolean {
  return token === "{" || token === "[";
}

function isClosing(token: string | undefined): boolean {
  return token === "}" || token === "]";
}

/** Returns the tokens of a text that is JSON; otherwise where it is not. */
function readTokens(text: string): Token[] | JsonProblem {
  const tokens: Token[] = [];
  const open: string[] = [];
  let expected: Expected = "value";
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const token = match(TOKEN, text, at);
    const next: Expected | undefined = token === undefined ? undefined : step(expected, token, open);
    if (token === undefined || next === undefined) return invalid(text, at, expected);
    if (/^-?\d/.test(token) && isChanged(token)) return problemAt(text, at, `${token} cannot be sent exactly.`);
    tokens.push({ text: token, at });
    expected = next;
    at += token.length;
  }
  return expected === "end" ? tokens : problemAt(text, text.length, `The text ends too early. ${MESSAGES[expected]}`);
}

/** Returns what may follow the token; nothing if it is not allowed here. */
function step(expected: Expected, token: string, open: string[]): Expected | undefined {
  if (isClosing(token)) {
    if (!expected.endsWith(`or ${token}`)) return undefined;
    open.pop();
    return after(open);
  }
  if (token === ",") {
    if (!expected.startsWith("comma")) return undefined;
    return open.at(-1) === "{" ? "key" : "value";
  }
  if (token === ":") return expected === "colon" ? "value" : undefined;
  if (expected.startsWith("key")) return token.startsWith('"') ? "colon" : undefined;
  if (!expected.startsWith("value")) return undefined;
  if (!isOpening(token)) return after(open);
  open.push(token);
  return token === "{" ? "key or }" : "value or ]";
}

function after(open: readonly string[]): Expected {
  const last = open.at(-1);
  if (last === undefined) return "end";
  return last === "{" ? "comma or }" : "comma or ]";
}

function invalid(text: string, at: number, expected: Expected): JsonProblem {
  const begun = text[at] === '"' && /key|value/.test(expected) ? match(STRING_BEGIN, text, at) : undefined;
  if (begun === undefined) return problemAt(text, at, MESSAGES[expected]);
  const wrong = text[at + begun.length];
  if (wrong === undefined) return problemAt(text, at, "The string that begins here has no end.");
  const what =
    wrong === "\\" ? "This is no escape of JSON." : "A line ends, or a control character is, within a string.";
  return problemAt(text, at + begun.length, what);
}

function problemAt(text: string, at: number, message: string): JsonProblem {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { at, line: before.split("\n").length, column: at - lineStart + 1, message };
}

/** Whole numbers that a double does not hold, and numbers that are too large for one. */
function isChanged(token: string): boolean {
  const value = Number(token);
  return !Number.isFinite(value) || (/^-?\d+$/.test(token) && !Number.isSafeInteger(value) && String(value) !== token);
}

function skipSpace(text: string, at: number): number {
  return at + (match(SPACE, text, at)?.length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
