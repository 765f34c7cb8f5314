/**
 * The values codec: the values that a step may return, and their encoding (STEP5).
 *
 * Owns: `EncodedValue`, the only form in which values are journaled and sent, so a value is equal live, on replay and with
 * each dispatcher; and the conversion to plain JSON for the HTTP API. The codec is devalue's. This file adds errors,
 * bytes, limits, and messages that name the path.
 */
import type { ShownError } from "./api.ts";
import { DevalueError, parse, stringify } from "devalue";
import { isDate } from "./durations.ts";
import { type ErrorValue, HoldfastError, boundMessage } from "./errors.ts";
import { isEnveloped, schemeOf } from "./envelope.ts";
import { HOST_LIMITS, LIMITS } from "./limits.ts";

/** A value as text: devalue's format, with `Error` and `Bytes` added. */
export type EncodedValue = string;

/** The text of `undefined`. */
export const ENCODED_UNDEFINED: EncodedValue = "-1";

/**
 * Encodes a value. `what` names it in messages.
 * @throws HoldfastError `UNSERIALIZABLE` with the path of the part that cannot be encoded, `TOO_LARGE` with the limit.
 */
export function encodeValue(value: unknown, what: string): EncodedValue {
  if (value === undefined) return ENCODED_UNDEFINED;
  let text: string;
  try {
    if (isDeep(value)) throw new RangeError();
    text = stringify(value, REDUCERS);
  } catch (error) {
    throw new HoldfastError("UNSERIALIZABLE", unserializableMessage(error, what));
  }
  if (text.length > LIMITS.valueChars) {
    throw new HoldfastError(
      "TOO_LARGE",
      `${what} takes ${text.length} characters when encoded; the limit is ${LIMITS.valueChars} (10 MiB). Keep large data elsewhere (an object store, a database) and return a reference to it.`,
    );
  }
  return text;
}

/** Whether a value has more levels than LIMITS.valueDepth. Visits level by level, so no depth overflows the stack. */
function isDeep(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const seen = new Set<unknown>();
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > LIMITS.valueDepth) return true;
    level = level.flatMap(childrenOf).filter((child): child is object => {
      const fresh = typeof child === "object" && child !== null && !seen.has(child);
      if (fresh) seen.add(child);
      return fresh;
    });
  }
  return false;
}

function childrenOf(value: object): unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return [...value];
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

/**
 * Decodes a value. The text must be a result of `encodeValue`. Each call returns a new copy.
 * @throws HoldfastError `NEWER_FORMAT` if the value is in an envelope.
 */
export function decodeValue(text: EncodedValue): unknown {
  if (isEnveloped(text)) throw new HoldfastError("NEWER_FORMAT", `unknown encoding ${schemeOf(text)}`);
  return text === ENCODED_UNDEFINED ? undefined : parse(text, REVIVERS);
}

/** Whether two encoded values are equal, apart from the order of keys in objects. */
export function isSameValue(a: EncodedValue, b: EncodedValue): boolean {
  if (a === b) return true;
  return encodeValue(sortKeys(decodeValue(a)), "value") === encodeValue(sortKeys(decodeValue(b)), "value");
}

function sortKeys(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > JSON_DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((item) => sortKeys(item, depth + 1));
  if (Object.prototype.toString.call(value) !== "[object Object]") return value;
  const pairs = Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, item]) => [key, sortKeys(item, depth + 1)]));
}

/** Converts a thrown value into plain data (STEP3). Never throws. */
export function toErrorValue(thrown: unknown): ErrorValue {
  if (!isErrorLike(thrown)) {
    return { name: "Error", message: boundMessage(describeThrown(thrown)), ...encodedData(thrown) };
  }
  const [name, message, code] = ["name", "message", "code"].map((key) => readProperty(thrown, key));
  return {
    name: typeof name === "string" ? name.slice(0, LIMITS.nameBytes) : "Error",
    message: boundMessage(typeof message === "string" ? message : describeThrown(message)),
    ...(typeof code === "string" || typeof code === "number" ? { code: String(code).slice(0, LIMITS.nameBytes) } : {}),
    ...encodedData(readProperty(thrown, "data")),
  };
}

/** Reads a property of an unknown object, such as a thrown one. Returns `undefined` if its getter throws. */
export function readProperty(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** Converts plain data back into an `Error` with the name, message, code and data of the original (STEP3). */
export function fromErrorValue(value: ErrorValue): Error {
  const error = new Error(value.message);
  define(error, "name", value.name);
  if (value.code !== undefined) define(error, "code", value.code);
  if (value.data !== undefined) define(error, "data", decodeValue(value.data));
  return error;
}

const JSON_DEPTH_MAX = 200;

/** The number of characters that may still be shown. Several values may share a budget. */
export interface JsonBudget {
  chars: number;
}

/** Shown in place of a part that exceeds the budget. */
const CUT = "[cut: too large to show]";

/**
 * Converts a value to plain JSON for the HTTP API. Dates become ISO strings, maps lists of pairs, big integers strings.
 * Parts beyond the budget are cut: a small graph of objects may have very many paths.
 */
export function toJson(value: unknown, budget: JsonBudget = { chars: HOST_LIMITS.jsonChars }): unknown {
  return show(value, budget, []);
}

function show(value: unknown, budget: JsonBudget, ancestors: readonly unknown[]): unknown {
  if (typeof value !== "object" || value === null) return showPrimitive(value, budget);
  if (budget.chars <= 0) return CUT;
  budget.chars -= 8;
  if (ancestors.includes(value)) return "[circular]";
  if (ancestors.length >= JSON_DEPTH_MAX) return "[nested too deeply to show]";
  const inside = [...ancestors, value];
  const showAll = (items: Iterable<unknown>): unknown[] => Array.from(items, (item) => show(item, budget, inside));
  if (Array.isArray(value)) return showAll(value);
  const tag = Object.prototype.toString.call(value);
  if (isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (isList(value)) return showAll(value);
  if (tag === "[object URL]") return readProperty(value, "href");
  if (tag === "[object RegExp]") return readProperty(value, "source");
  const shown = tag === "[object Error]" ? { ...toErrorValue(value), data: readProperty(value, "data") } : value;
  const pairs = Object.entries(shown).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    pairs.map(([key, item]) => {
      budget.chars -= key.length;
      return [key, show(item, budget, inside)];
    }),
  );
}

function isList(value: object): value is Iterable<unknown> {
  return /^\[object (Map|Set|Uint8Array)\]$/.test(Object.prototype.toString.call(value));
}

function showPrimitive(value: unknown, budget: JsonBudget): unknown {
  if (typeof value === "string") {
    budget.chars -= value.length;
    return budget.chars < 0 ? CUT : value;
  }
  budget.chars -= 4;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return value ?? null;
}

/** Converts an encoded value to plain JSON for the HTTP API. Shows only the scheme of a value in an envelope. */
export function showValue(text: EncodedValue, budget?: JsonBudget): unknown {
  return isEnveloped(text) ? `[encoded as ${schemeOf(text)}]` : toJson(decodeValue(text), budget);
}

/** Converts an error for the HTTP API: its data becomes plain JSON. */
export function errorToJson(error: ErrorValue, budget?: JsonBudget): ShownError {
  const { data, ...rest } = error;
  return data === undefined ? rest : { ...rest, data: showValue(data, budget) };
}

const REDUCERS: Record<string, (value: unknown) => unknown> = {
  Error: (value) => (isErrorLike(value) && isErrorTag(value) ? [errorParts(value)] : undefined),
  // A view into a larger buffer is copied, because the rest of the buffer may contain other data.
  Bytes: (value) =>
    value instanceof Uint8Array && value.byteLength !== value.buffer.byteLength ? [Uint8Array.from(value)] : undefined,
};

const REVIVERS: NonNullable<Parameters<typeof parse>[1]> = {
  Error: ([parts]) => reviveError(parts),
  Bytes: ([bytes]) => bytes,
};

interface ErrorLike {
  readonly name: unknown;
  readonly message: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  if (typeof value !== "object" || value === null) return false;
  try {
    return isErrorTag(value) || ("name" in value && "message" in value);
  } catch {
    return false;
  }
}

function isErrorTag(value: object): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

function errorParts(error: ErrorLike): Record<string, unknown> {
  const parts: Record<string, unknown> = { name: String(error.name), message: String(error.message) };
  for (const key of ["code", "data", "cause", "errors"]) {
    const value: unknown = Reflect.get(error, key);
    if (value !== undefined) parts[key] = value;
  }
  return parts;
}

function reviveError(parts: Record<string, unknown>): Error {
  const error = new Error(String(parts.message));
  for (const [key, value] of Object.entries(parts)) {
    if (key !== "message") define(error, key, value);
  }
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  // As for errors that code makes: assigned properties are enumerable, those of the language are not.
  const enumerable = key === "code" || key === "data";
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}

function encodedData(data: unknown): { data?: EncodedValue } {
  if (data === undefined) return {};
  try {
    return { data: encodeValue(data, "error data") };
  } catch {
    return {};
  }
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  if (typeof thrown !== "object" || thrown === null) return `${String(thrown)} was thrown`;
  return "a value that is not an Error was thrown";
}

function unserializableMessage(error: unknown, what: string): string {
  const fix = "Return plain data: objects, arrays, strings, numbers, Date, Map, Set, BigInt, Uint8Array, URL, Error.";
  if (error instanceof RangeError)
    return `${what} cannot be encoded: it is nested too deeply (more than ${LIMITS.valueDepth} levels). ${fix}`;
  const reason = error instanceof Error ? error.message : String(error);
  const path = error instanceof DevalueError && error.path !== "" ? ` at ${error.path.replace(/^\./, "")}` : "";
  return `${what} cannot be encoded${path}: ${reason}. ${fix}`;
}
