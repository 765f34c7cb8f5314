/**
 * Errors inside values (STEP5).
 *
 * Owns: the fields of an error that the codec keeps, and the copy that decoding makes. A cause, a member, the data or a
 * field of an error may lead back to the error itself. Never keeps a stack (SEC4): a copy has one without frames.
 */
import { isDate } from "./durations.ts";

/** What has a name and a message: an error of any realm, or an object like one. */
export interface ErrorLike {
  readonly name: unknown;
  readonly message: unknown;
}

/** The fields of an error that may hold any value. All other own fields are kept if they are plain data. */
const RICH = ["code", "data", "cause", "errors"];

/** The fields that are not enumerable on an error that code makes. */
const HIDDEN = new Set(["name", "message", "cause", "errors", "stack"]);

/** The type of a built-in object, whatever its realm. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

export function isMap(value: object): value is Map<unknown, unknown> {
  return tagOf(value) === "Map";
}

export function isSet(value: object): value is Set<unknown> {
  return tagOf(value) === "Set";
}

/** Reads a property of a thrown value. The value may be anything. Never throws. */
export function readProperty(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

export function isErrorLike(value: unknown): value is ErrorLike {
  if (typeof value !== "object" || value === null) return false;
  try {
    return isError(value) || ("name" in value && "message" in value);
  } catch {
    return false;
  }
}

export function isError(value: object): value is Error {
  return value instanceof Error || tagOf(value) === "Error";
}

/** What is kept of an error. Own fields count if they are plain data: other objects on errors are clients and sockets. */
export function errorParts(error: ErrorLike): Record<string, unknown> {
  const parts: Record<string, unknown> = {};
  // The fields of a SuppressedError, which `await using` throws, are not enumerable.
  for (const key of new Set([...RICH, "error", "suppressed", ...Object.keys(error)])) {
    // The delay of a RetryableError is for the engine.
    if (key === "stack" || key === "retryAfterMs") continue;
    const value: unknown = Reflect.get(error, key);
    if (value !== undefined && (RICH.includes(key) || isPlain(value))) parts[key] = value;
  }
  return { ...parts, name: String(error.name), message: String(error.message) };
}

/** Whether a value consists of primitives, dates, errors, lists and plain objects. Takes each object once. */
function isPlain(value: unknown, seen: Set<unknown> = new Set()): boolean {
  if (typeof value !== "object" || value === null) return !/func|sym/.test(typeof value);
  if (seen.has(value) || isDate(value) || isError(value)) return true;
  seen.add(value);
  const prototype: object = Object.getPrototypeOf(value) ?? Object.prototype;
  if (!Array.isArray(value) && Object.getPrototypeOf(prototype) !== null) return false;
  // Symbols as keys are skipped here, and refused by the codec.
  return Object.values(value).every((part) => isPlain(part, seen));
}

/**
 * Makes the copy of an error, or completes it. A cycle asks for the copy before its fields are known, so the payload
 * holds it from then on.
 */
export function reviveError(payload: [parts?: Record<string, unknown>, error?: Error]): Error {
  const parts = payload[0] ?? {};
  const error = (payload[1] ??= new Error(String(parts.message)));
  for (const [key, value] of Object.entries(parts)) defineField(error, key, value);
  defineField(error, "stack", headOf(error));
  return error;
}

/** The first line of a stack. */
export function headOf({ name, message }: ErrorLike): string {
  return `${String(name)}: ${String(message)}`;
}

export function defineField(error: Error, key: string, value: unknown): void {
  // As on errors that code makes: assigned fields are enumerable, fields that the language sets are not.
  const enumerable = !HIDDEN.has(key);
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}
