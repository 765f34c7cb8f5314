/**
 * Compares an answer with the one that a page shows.
 *
 * Owns: what a page may leave out. Fields that it does not show may have any value. `…` stands for any text, as a whole
 * value for anything, and as the last element of a list for any further elements. A time of 2001 or later in ms stands for
 * any such time. Every other value must be equal.
 */
import type { Answer } from "./page.ts";

/** 2001-09-09. */
const TIMES_FROM = 1e12;

/** Returns what differs: nothing if the printed text is the answer that the page shows. */
export function compareAnswer({ language, text }: Answer, printed: string): readonly string[] {
  return language === "json" ? compareJson(text, printed) : compareLines(text, printed);
}

function compareJson(shown: string, printed: string): readonly string[] {
  let given: unknown;
  try {
    given = JSON.parse(printed);
  } catch {
    return [`The answer is not JSON: ${printed}`];
  }
  return compareValues(JSON.parse(shown), given, "");
}

/** Each shown line is printed, in this order; other lines may be between them. */
function compareLines(shown: string, printed: string): readonly string[] {
  const lines = printed.split("\n");
  for (const line of shown.split("\n")) {
    const at = lines.findIndex((given) => matches(line, given));
    if (at < 0) return [`There is no line "${line}" at its place in:\n${printed}`];
    lines.splice(0, at + 1);
  }
  return [];
}

function compareValues(shown: unknown, given: unknown, path: string): readonly string[] {
  if (shown === "…" && given !== undefined) return [];
  if (Array.isArray(shown) && Array.isArray(given)) return compareLists(shown, given, path);
  if (isObject(shown) && isObject(given)) {
    return Object.entries(shown).flatMap(([key, value]) => compareValues(value, given[key], `${path}.${key}`));
  }
  return isSame(shown, given) ? [] : [`${path || "."} is ${JSON.stringify(given)}, not ${JSON.stringify(shown)}`];
}

function compareLists(shown: readonly unknown[], given: readonly unknown[], path: string): readonly string[] {
  const open = shown.at(-1) === "…";
  const elements = open ? shown.slice(0, -1) : shown;
  if (given.length < elements.length || (!open && given.length > elements.length)) {
    return [`${path || "."} has ${given.length} elements, not ${elements.length}`];
  }
  return elements.flatMap((value, i) => compareValues(value, given[i], `${path}[${i}]`));
}

function isSame(shown: unknown, given: unknown): boolean {
  if (typeof shown === "string" && typeof given === "string") return matches(shown, given);
  if (isTime(shown)) return isTime(given);
  return shown === given;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= TIMES_FROM;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function matches(shown: string, given: string): boolean {
  const [first = "", ...more] = shown.split("…");
  const last = more.pop();
  if (last === undefined) return shown === given;
  let from = first.length;
  for (const part of more) {
    const at = given.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return given.startsWith(first) && given.endsWith(last) && from + last.length <= given.length;
}
