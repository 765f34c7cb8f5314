/**
 * The rules of style that a script can check.
 *
 * Owns: sizes, headers, names, and the words that may not stand in the code that must be pure.
 */
import { posix } from "node:path";
import { measureFunctions } from "./function-lengths.ts";
import type { SourceFile } from "./source-files.ts";
import { blankText, lineAt } from "./source-text.ts";

/** Aim under 250 and 40. */
const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;

/** Words that name no subject, in a file's name or a folder's. */
const EMPTY_NAMES = new Set(["util", "utils", "helper", "helpers", "manager", "common", "misc"]);

/** Where nothing of the world may be reached: the same input gives the same result, at any time and on any platform. */
const PURE_FOLDERS: readonly string[] = ["packages/protocol/src/", "packages/orchestrator/src/"];

/** The part of a pure package that works with the web platform: an entry point of its own. */
const PLATFORM_FOLDER = "packages/protocol/src/transport/";

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

const TIME = "Time comes in as `now` (milliseconds) with the circumstances of a transition.";
const RANDOM = "Ids and randomness come in with the input.";
const TIMER = "Name the time at which something is due in the state; the host sets its alarm to the earliest.";
const PROMISE = "Pure code is synchronous: return what is to be done as an effect, and the host does it.";
const WORLD = "Pure code knows no platform: the host passes what it needs as an argument.";

/** A name that stands for the global, and not for a property of something else. */
const global = (name: string) => new RegExp(String.raw`(?<![\w$.#])${name}\b`, "g");

const BANS: readonly Ban[] = [
  { what: "Date.now", pattern: /\bDate\s*\.\s*now\b/g, instead: TIME },
  { what: "new Date(", pattern: /\bnew\s+Date\b/g, instead: `${TIME} Keep times as milliseconds.` },
  { what: "Math.random", pattern: /\bMath\s*\.\s*random\b/g, instead: RANDOM },
  { what: "crypto", pattern: global("crypto"), instead: RANDOM },
  { what: "setTimeout", pattern: /\bsetTimeout\b/g, instead: TIMER },
  { what: "setInterval", pattern: /\bsetInterval\b/g, instead: TIMER },
  { what: "queueMicrotask", pattern: /\bqueueMicrotask\b/g, instead: PROMISE },
  { what: "async", pattern: global("async"), instead: PROMISE },
  { what: "await", pattern: global("await"), instead: PROMISE },
  { what: "new Promise", pattern: /\bnew\s+Promise\b/g, instead: PROMISE },
  { what: "Promise.", pattern: /\bPromise\s*\./g, instead: PROMISE },
  { what: "process", pattern: global("process"), instead: WORLD },
  { what: "globalThis", pattern: global("globalThis"), instead: WORLD },
  { what: "console", pattern: global("console"), instead: "Return an effect, or throw for a bug of ours." },
];

export type StyleRule = "header" | "file-lines" | "function-lines" | "name" | "ban";

export interface StyleProblem {
  readonly rule: StyleRule;
  readonly path: string;
  readonly message: string;
}

export function checkStyle(file: SourceFile): readonly StyleProblem[] {
  const found: readonly (readonly [StyleRule, readonly string[]])[] = [
    ["header", checkHeader(file.text)],
    ["file-lines", checkFileLines(file.text)],
    ["function-lines", checkFunctionLines(file.text)],
    ["name", checkName(file.path)],
    ["ban", isPure(file.path) ? checkBans(file.text) : []],
  ];
  return found.flatMap(([rule, messages]) =>
    messages.map((message) => ({ rule, path: file.path, message: `${file.path}${message}` })),
  );
}

function isPure(path: string): boolean {
  return PURE_FOLDERS.some((folder) => path.startsWith(folder)) && !path.startsWith(PLATFORM_FOLDER);
}

function checkHeader(text: string): readonly string[] {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(text.replace(/^#!.*\n/, ""))?.[1];
  return header !== undefined && /\w/.test(header) ? [] : [" does not open with a /** header */: what it is and owns."];
}

function checkFileLines(text: string): readonly string[] {
  const lines = text.trimEnd().split("\n").length;
  if (lines <= FILE_LINES_MAX) return [];
  return [` has ${lines} lines, over ${FILE_LINES_MAX}. Divide it by subject.`];
}

function checkFunctionLines(text: string): readonly string[] {
  return measureFunctions(text)
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map(({ name, line, lines }) => `:${line} function ${name} has ${lines} lines, over ${FUNCTION_LINES_MAX}.`);
}

function checkName(path: string): readonly string[] {
  const inPackage = path.replace(/^.*?\bsrc\//, "").slice(0, -posix.extname(path).length);
  const empty = inPackage.split(/[-_./]/).find((word) => EMPTY_NAMES.has(word.toLowerCase()));
  return empty === undefined ? [] : [` is named "${empty}", which says nothing. Name what it is about.`];
}

function checkBans(text: string): readonly string[] {
  const code = blankText(text);
  return BANS.flatMap(({ what, pattern, instead }) =>
    [...code.matchAll(pattern)].map(({ index }) => `:${lineAt(code, index)} uses ${what}. ${instead}`),
  );
}
