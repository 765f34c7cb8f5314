/**
 * Filters of events as data (EVT2).
 *
 * Owns: the meaning of a filter. Evaluation is pure, never throws, and takes time in proportion to the checked filter.
 *
 * Invariants
 * - WH1 A missing path, or a value of another type than the operand, does not hold. Nothing is converted. `null` as an
 *   operand is compared with values of every type.
 * - WH2 A part that is not a filter does not hold: `whereProblem` refuses it when the filter is registered.
 */
import type { Where } from "@holdfast/protocol";
import { isPlain, readPath } from "./paths.ts";

/** What a filter reads. `data` is decoded. */
export interface FilteredEvent {
  readonly name: string;
  readonly data: unknown;
  readonly at?: number | undefined;
  readonly source?: string | undefined;
}

type Operator = (value: unknown, operand: unknown) => boolean;

/** Operators by name: whether a value that exists satisfies the operand. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["eq", (value, operand) => value === operand],
  ["neq", differs],
  ["in", (value, list) => Array.isArray(list) && list.includes(value)],
  ["nin", (value, list) => Array.isArray(list) && !list.includes(value) && list.some((one) => differs(value, one))],
  ["gt", ordered((a, b) => a > b)],
  ["gte", ordered((a, b) => a >= b)],
  ["lt", ordered((a, b) => a < b)],
  ["lte", ordered((a, b) => a <= b)],
  ["prefix", (value, part) => typeof value === "string" && typeof part === "string" && value.startsWith(part)],
  ["suffix", (value, part) => typeof value === "string" && typeof part === "string" && value.endsWith(part)],
]);

/** Whether two values of one type differ. */
function differs(value: unknown, operand: unknown): boolean {
  const comparable = operand === null || (value !== null && typeof value === typeof operand);
  return comparable && value !== operand;
}

/** Numbers are compared with numbers, and text with text by code units. NaN has no order. */
function ordered(isMet: <T extends number | string>(a: T, b: T) => boolean): Operator {
  return (value, operand) => {
    if (typeof value === "number" && typeof operand === "number") return isMet(value, operand);
    return typeof value === "string" && typeof operand === "string" && isMet(value, operand);
  };
}

/** Returns the first condition that an event does not satisfy; `undefined`: it matches. The text has no value of the event. */
export function mismatch(where: Where | undefined, event: FilteredEvent): string | undefined {
  return where === undefined ? undefined : mismatchOf(where, event);
}

function mismatchOf(filter: unknown, event: FilteredEvent): string | undefined {
  if (!isPlain(filter)) return NO_FILTER;
  for (const [key, part] of Object.entries(filter)) {
    const problem = partMismatch(key, part, event);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const NO_FILTER = "the filter cannot be read";

function partMismatch(key: string, part: unknown, event: FilteredEvent): string | undefined {
  if (key === "not") return mismatchOf(part, event) === undefined ? "not: the condition holds" : undefined;
  if (key === "and" || key === "or") {
    const problems = Array.isArray(part) ? part.map((one) => mismatchOf(one, event)) : [NO_FILTER];
    if (key === "and") return problems.find((one) => one !== undefined);
    return problems.includes(undefined) ? undefined : `or: none of them holds. The first: ${problems[0]}`;
  }
  if (!isPlain(part)) return NO_FILTER;
  const value = readPath(event, key.split("."));
  const failed = Object.entries(part).find(([operator, operand]) => !holds(operator, value, operand));
  return failed && `${key}: ${failed[0]} ${JSON.stringify(failed[1])} does not hold`;
}

function holds(operator: string, value: unknown, operand: unknown): boolean {
  if (operator === "exists") return (value !== undefined) === operand;
  return value !== undefined && OPERATORS.get(operator)?.(value, operand) === true;
}
