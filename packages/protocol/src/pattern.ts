/**
 * Selecting deliveries by their payload (WAIT6).
 *
 * Owns: the meaning of a pattern. A pattern is plain data and is stored with the wait. The orchestrator therefore matches
 * deliveries without executing the workflow's code.
 */

import { isDate } from "./durations.ts";
import { invalid } from "./errors.ts";

/**
 * Rejects a pattern that no payload can match: one that contains `undefined`, an empty place, itself, or a value that is
 * neither plain data nor a date. A wait with such a pattern would never end (WAIT6).
 * @throws HoldfastError `INVALID_ARGUMENT` with the path.
 */
export function checkPattern(pattern: unknown, path: string, ancestors: readonly unknown[] = []): void {
  const nested = typeof pattern === "object" && pattern !== null && !isDate(pattern);
  const plain = Array.isArray(pattern) || isPlainObject(pattern);
  if (pattern === undefined || (nested && !plain) || ancestors.includes(pattern))
    throw invalid(path, "no payload can match this value. Use JSON values or a Date.");
  if (!nested) return;
  const inside = [...ancestors, pattern];
  if (!Array.isArray(pattern))
    for (const [key, part] of Object.entries(pattern)) checkPattern(part, `${path}.${key}`, inside);
  // An empty place reads as undefined, so the first one ends the loop.
  else for (let at = 0; at < pattern.length; at++) checkPattern(pattern[at], `${path}[${at}]`, inside);
}

/**
 * Whether a payload matches a pattern. An object matches if it has all keys of the pattern, with matching values. Any
 * other value must be equal to the pattern; lists are compared as a whole.
 */
export function matchesPattern(pattern: unknown, payload: unknown): boolean {
  if (!isPlainObject(pattern)) return isEqual(pattern, payload);
  if (!isPlainObject(payload)) return false;
  return Object.entries(pattern).every(
    ([key, wanted]) => Object.hasOwn(payload, key) && matchesPattern(wanted, payload[key]),
  );
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (Array.isArray(a) && Array.isArray(b)) {
    // Compare keys, not indexes up to the length: a short encoded list may have four thousand million empty places.
    const [keys, others] = [Object.keys(a), Object.keys(b)];
    return (
      a.length === b.length &&
      keys.length === others.length &&
      keys.every((key, at) => key === others[at] && isEqual(Reflect.get(a, key), Reflect.get(b, key)))
    );
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}
