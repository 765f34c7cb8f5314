/**
 * Paths into values, and the keys that they lead to.
 *
 * Owns: their form, and reading one. A path is names separated by dots. It reads own properties of plain objects and
 * elements of lists, so no path reaches a prototype or code.
 */
import { HOST_LIMITS, nameProblem } from "@holdfast/protocol";

/** Returns the value at a path; `undefined` if there is none. Time is bounded by the length of the path. */
export function readPath(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) {
    if (!isContainer(value) || !Object.hasOwn(value, name)) return undefined;
    if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

/** Returns the value at a path in text form. */
export function readEventPath(root: unknown, path: string): unknown {
  return readPath(root, path.split("."));
}

function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
}

/** Returns what is wrong with the form of a path, or `undefined`. */
export function pathProblem(path: unknown): string | undefined {
  if (typeof path !== "string" || path === "") return "must be a path, such as data.orderId";
  if (path.length > HOST_LIMITS.eventPathChars) return `must have at most ${HOST_LIMITS.eventPathChars} characters`;
  return path.split(".").includes("") ? "must be names separated by single dots, such as data.orderId" : undefined;
}

/** Returns a value that stands for a key: booleans and exact numbers as text, any other value as it is. */
export function textOfKey(value: unknown): unknown {
  return typeof value === "boolean" || (typeof value === "number" && !isRounded(value)) ? String(value) : value;
}

/** Whether a number may be another one than was sent. Readers of JSON round it, so two ids could become one key. */
export function isRounded(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}

/** What is wrong with a rounded number, without the number. */
export const ROUNDED = "a number above 9007199254740991, which readers of JSON round. Send it as a text";

/** Returns why a value cannot be the key of an event, or `undefined`. */
export function keyProblem(key: unknown): string | undefined {
  if (isRounded(key)) return `must not be ${ROUNDED}`;
  const problem = nameProblem(key);
  if (problem !== undefined) return problem;
  return Array.from(String(key)).some((char) => char < " ") ? "must not hold control characters" : undefined;
}

/** Whether a value is an object that a literal or JSON makes. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
