/**
 * The log of the self-hosted process: each line is one flat JSON object.
 *
 * Owns: the form of a line. workerd writes the text of `console` as it is, also the line breaks in it, or puts it as a text
 * into an object of its own. This module replaces the methods of `console` and the streams of `process` before any other code
 * of the Worker executes. What workerd itself writes goes to stderr, and start.sh makes lines of it.
 *
 * Invariants
 * - LL1 A line has `time`, `level` and `message`, and its values are texts, numbers, booleans or null.
 * - LL2 No text that is logged can end a line, or begin another one.
 * - LL3 Logging throws for no value, and calls the callback of a write.
 */
import { format } from "node:util";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

/** The largest number of fields of a line, beside `time`, `level` and `message`. */
const FIELDS_MAX = 100;
/** Deeper values are shown as JSON in a text. */
const DEPTH_MAX = 8;

type Plain = string | number | boolean | null;

/** Returns the line for a call of `console`. The fields of a text that is a JSON object become fields of the line. */
export function logLine(level: Level, args: readonly unknown[], now: Date): string {
  const given = args.length === 1 ? objectIn(args[0]) : undefined;
  if (given === undefined) return lineOf(now, level, textOf(args), []);
  const { time: _time, level: own, message = given["type"] ?? "", ...more } = given;
  const text = typeof message === "string" ? message : jsonOf(message);
  return lineOf(now, LEVELS.find((one) => one === own) ?? level, text, flatten(more));
}

/** A call of `console` throws for no value: what code logs must not change what it does. */
function textOf(args: readonly unknown[]): string {
  try {
    return format(...args);
  } catch {
    return args.map((arg) => (typeof arg === "string" ? arg : "[a value that cannot be shown]")).join(" ");
  }
}

function lineOf(now: Date, level: Level, message: string, fields: readonly (readonly [string, Plain])[]): string {
  return JSON.stringify(
    Object.fromEntries([["time", now.toISOString()], ["level", level], ["message", message], ...fields]),
  );
}

function objectIn(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== "string" || !text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Returns the fields of an object. The name of a field in a field is the path to it: `data.order.id`, `data.items.0`. */
function flatten(object: object): (readonly [string, Plain])[] {
  const fields: (readonly [string, Plain])[] = [];
  const add = (value: unknown, path: string, depth: number): void => {
    if (fields.length > FIELDS_MAX) return;
    if (typeof value !== "object" || value === null) fields.push([path, value as Plain]);
    else if (depth === DEPTH_MAX) fields.push([path, jsonOf(value)]);
    else for (const [key, inner] of Object.entries(value)) add(inner, `${path}.${key}`, depth + 1);
  };
  for (const [key, value] of Object.entries(object)) add(value, key, 0);
  return fields.length > FIELDS_MAX ? [...fields.slice(0, FIELDS_MAX), ["fieldsLeftOut", true]] : fields;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // It is too deep.
    return "…";
  }
}

/** Replaces `console` and the streams of `process`. All lines go to stdout. */
export function writeLogLines(now: () => Date): void {
  const write = console.log.bind(console);
  for (const [name, level] of [...LEVELS.map((one) => [one, one] as const), ["log", "info"] as const])
    replace(console, name, (...args) => write(logLine(level, args, now())));
  for (const [stream, level] of [
    [process.stdout, "info"],
    [process.stderr, "error"],
  ] as const) {
    replace(stream, "write", (chunk, ...more) => {
      const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk as Uint8Array);
      for (const line of text.split("\n")) if (line !== "") write(logLine(level, [line], now()));
      const done = more.at(-1);
      if (typeof done === "function") queueMicrotask(() => void done());
      return true;
    });
  }
}

function replace(target: object, name: string, method: (...args: unknown[]) => unknown): void {
  Object.defineProperty(target, name, { value: method, writable: true, configurable: true });
}
