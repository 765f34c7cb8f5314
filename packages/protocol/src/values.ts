/**
 * The values codec: what a step may return, and how it is written down (STEP5).
 *
 * Owns: `EncodedValue`, the one form in which values are journaled and sent, so that what comes back is equal live, on
 * replay and with every dispatcher; and the projection to plain JSON that the HTTP API shows.
 * The codec itself is devalue's; this file adds errors and bytes, limits, and messages that name the path.
 */
import { DevalueError, parse, stringify } from "devalue";
import { type ErrorValue, HoldfastError, boundMessage } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** A value as text: devalue's format with `Error` added. */
export type EncodedValue = string;

/** What `undefined` is as text. */
export const ENCODED_UNDEFINED: EncodedValue = "-1";

/**
 * Writes a value down.
 * @throws HoldfastError `UNSERIALIZABLE` naming the path of what cannot be kept, `TOO_LARGE` naming the limit.
 */
export function encodeValue(value: unknown, what: string): EncodedValue {
  if (value === undefined) return ENCODED_UNDEFINED;
  let text: string;
  try {
    text = stringify(value, REDUCERS);
  } catch (error) {
    throw new HoldfastError("UNSERIALIZABLE", unserializableMessage(error, what));
  }
  if (text.length > LIMITS.valueChars) {
    throw new HoldfastError(
      "TOO_LARGE",
      `${what} takes ${text.length} characters when written down; the limit is ${LIMITS.valueChars} (10 MiB). Keep large data elsewhere (an object store, a database) and return a reference to it.`,
    );
  }
  return text;
}

/** Reads a value back. The text must come from `encodeValue`. Every call gives a fresh copy. */
export function decodeValue(text: EncodedValue): unknown {
  return text === ENCODED_UNDEFINED ? undefined : parse(text, REVIVERS);
}

/** Whether two encoded values are equal, whatever the order of their objects' keys. */
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

/** Turns anything that was thrown into plain data (STEP3). Never throws. */
export function toErrorValue(thrown: unknown): ErrorValue {
  if (!isErrorLike(thrown)) {
    return { name: "Error", message: boundMessage(describeThrown(thrown)), ...encodedData(thrown) };
  }
  const { code, data } = thrown as { code?: unknown; data?: unknown };
  return {
    name: typeof thrown.name === "string" ? thrown.name : "Error",
    message: boundMessage(String(thrown.message)),
    ...(typeof code === "string" || typeof code === "number" ? { code: String(code) } : {}),
    ...encodedData(data),
  };
}

/** Makes an `Error` with the name, message, code and data of the original (STEP3). */
export function fromErrorValue(value: ErrorValue): Error {
  const error = new Error(value.message);
  define(error, "name", value.name);
  if (value.code !== undefined) define(error, "code", value.code);
  if (value.data !== undefined) define(error, "data", decodeValue(value.data));
  return error;
}

const JSON_DEPTH_MAX = 200;

/** A value as the HTTP API shows it: plain JSON. Dates are ISO strings, maps lists of pairs, big integers strings. */
export function toJson(value: unknown, ancestors: readonly unknown[] = []): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value ?? null;
  if (ancestors.includes(value)) return "[circular]";
  if (ancestors.length >= JSON_DEPTH_MAX) return "[nested too deeply to show]";
  const inside = [...ancestors, value];
  if (Array.isArray(value)) return value.map((item) => toJson(item, inside));
  const tag = Object.prototype.toString.call(value);
  if (tag === "[object Date]") return Number.isNaN((value as Date).getTime()) ? null : (value as Date).toISOString();
  if (tag === "[object Map]") return [...(value as Map<unknown, unknown>)].map((pair) => toJson(pair, inside));
  if (tag === "[object Set]") return [...(value as Set<unknown>)].map((item) => toJson(item, inside));
  if (tag === "[object Uint8Array]") return [...(value as Uint8Array)];
  if (tag === "[object URL]") return (value as { href: string }).href;
  if (tag === "[object RegExp]") return (value as RegExp).source;
  if (tag === "[object Error]")
    return toJson({ ...toErrorValue(value), data: (value as { data?: unknown }).data }, inside);
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(pairs.map(([key, item]) => [key, toJson(item, inside)]));
}

/** An error as the HTTP API shows it: its data as plain JSON. */
export function errorToJson(error: ErrorValue): Record<string, unknown> {
  const { data, ...rest } = error;
  return data === undefined ? rest : { ...rest, data: toJson(decodeValue(data)) };
}

const REDUCERS: Record<string, (value: unknown) => unknown> = {
  Error: (value) => (isErrorLike(value) && isErrorTag(value) ? [errorParts(value)] : undefined),
  // A view into a larger buffer is copied: the rest of the buffer is not the author's to store.
  Bytes: (value) =>
    value instanceof Uint8Array && value.byteLength !== value.buffer.byteLength ? [Uint8Array.from(value)] : undefined,
};

const REVIVERS: Record<string, (value: unknown) => unknown> = {
  Error: (value) => reviveError((value as [Record<string, unknown>])[0]),
  Bytes: (value) => (value as [Uint8Array])[0],
};

interface ErrorLike {
  readonly name: unknown;
  readonly message: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null && (isErrorTag(value) || ("name" in value && "message" in value));
}

function isErrorTag(value: object): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

function errorParts(error: ErrorLike): Record<string, unknown> {
  const parts: Record<string, unknown> = { name: String(error.name), message: String(error.message) };
  for (const key of ["code", "data", "cause", "errors"]) {
    const value = (error as unknown as Record<string, unknown>)[key];
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
  // As on errors that code makes: what it assigns shows, what the language sets does not.
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
  if (error instanceof RangeError) return `${what} cannot be written down: it is nested too deeply. ${fix}`;
  const reason = error instanceof Error ? error.message : String(error);
  const path = error instanceof DevalueError && error.path !== "" ? ` at ${error.path.replace(/^\./, "")}` : "";
  return `${what} cannot be written down${path}: ${reason}. ${fix}`;
}
