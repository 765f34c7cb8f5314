/**
 * The check of a filter when it is registered (EVT2).
 *
 * Owns: the form and the size of filters. Each problem names the place in the filter and says what to write.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { isPlain, pathProblem } from "./paths.ts";
import { OPERATORS } from "./where.ts";

const ROOTS = ["name", "data", "at", "source"];
const NAMES = [...OPERATORS.keys(), "exists"].toSorted().join(" ");

/** Returns what is wrong with a filter, or `undefined`. `where`: the place of the filter in messages. */
export function whereProblem(filter: unknown, where: string): string | undefined {
  return partProblem(filter, where, 1, { nodes: 0 });
}

/** `count`: the parts so far, in the whole filter. */
function partProblem(part: unknown, where: string, depth: number, count: { nodes: number }): string | undefined {
  if (!isPlain(part)) return `${where}: must be an object of paths, such as { "data.cents": { gte: 100 } }`;
  if (depth > HOST_LIMITS.eventWhereDepth)
    return `${where}: is nested deeper than ${HOST_LIMITS.eventWhereDepth} levels`;
  for (const key of Reflect.ownKeys(part)) {
    count.nodes += 1;
    if (count.nodes > HOST_LIMITS.eventWhereNodes)
      return `${where}: the filter has more than ${HOST_LIMITS.eventWhereNodes} conditions`;
    const problem = entryProblem(key, Reflect.get(part, key), where, depth, count);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function entryProblem(
  key: string | symbol,
  value: unknown,
  where: string,
  depth: number,
  count: { nodes: number },
): string | undefined {
  if (typeof key === "symbol") return `${where}: has a symbol as a key`;
  const place = `${where}.${key}`;
  if (key === "not") return partProblem(value, place, depth + 1, count);
  if (key === "and" || key === "or") {
    if (!Array.isArray(value) || value.length === 0) return `${place}: must be a list of filters that is not empty`;
    // By index: a loop over the elements skips the holes of a list.
    for (let at = 0; at < value.length; at++) {
      const problem = partProblem(value[at], `${place}[${at}]`, depth + 1, count);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return eventPathProblem(key, ROOTS, place) ?? conditionProblem(value, place, count);
}

/** Returns what is wrong with a path into an event, or `undefined`. Only `data` has paths below it. */
export function eventPathProblem(path: unknown, roots: readonly string[], place: string): string | undefined {
  const problem = pathProblem(path);
  if (problem !== undefined) return `${place}: ${problem}`;
  const [root = "", ...rest] = String(path).split(".");
  if (!roots.includes(root)) return `${place}: the path must begin with one of ${roots.join(", ")}`;
  return rest.length > 0 && root !== "data" ? `${place}: only data has paths below it` : undefined;
}

function conditionProblem(value: unknown, place: string, count: { nodes: number }): string | undefined {
  if (!isPlain(value) || Reflect.ownKeys(value).length === 0)
    return `${place}: must be an object of operators, such as { eq: "EUR" }`;
  for (const operator of Reflect.ownKeys(value)) {
    count.nodes += 1;
    if (count.nodes > HOST_LIMITS.eventWhereNodes)
      return `${place}: the filter has more than ${HOST_LIMITS.eventWhereNodes} conditions`;
    const must = operandMust(operator, Reflect.get(value, operator));
    if (must !== undefined) return `${place}.${String(operator)}: ${must}`;
  }
  return undefined;
}

function operandMust(operator: string | symbol, operand: unknown): string | undefined {
  switch (operator) {
    case "exists":
      return typeof operand === "boolean" ? undefined : "must be true or false";
    case "eq":
    case "neq":
      return scalarMust(operand);
    case "in":
    case "nin":
      if (!Array.isArray(operand) || operand.length === 0) return "must be a list of values that is not empty";
      if (operand.length > HOST_LIMITS.eventWhereList) return `must have at most ${HOST_LIMITS.eventWhereList} values`;
      return Array.from(operand, scalarMust).find((must) => must !== undefined);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return typeof operand === "boolean" || operand === null ? "must be a number or text" : scalarMust(operand);
    case "prefix":
    case "suffix":
      return typeof operand === "string" ? scalarMust(operand) : "must be text";
    default:
      return `is not an operator. Operators: ${NAMES}`;
  }
}

function scalarMust(value: unknown): string | undefined {
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "must be a finite number";
  if (typeof value !== "string") return "must be text, a number, true, false or null";
  return value.length <= HOST_LIMITS.eventOperandChars
    ? undefined
    : `must have at most ${HOST_LIMITS.eventOperandChars} characters`;
}
