/**
 * The input of a run that an event starts, as data (EVT2).
 *
 * Owns: the form of a map and its meaning. A path without a value gives `undefined`, and an object lacks such a field.
 */
import { HOST_LIMITS, type InputMap } from "@holdfast/protocol";
import { isPlain, readPath } from "./paths.ts";
import { eventPathProblem } from "./where-check.ts";
import type { FilteredEvent } from "./where.ts";

/** An event as a map reads it. */
export interface MappedEvent extends FilteredEvent {
  readonly id: string;
  readonly key?: string | undefined;
}

const ROOTS = ["id", "name", "key", "data", "at", "source"];

/** Returns what is wrong with a map, or `undefined`. `where`: its place in messages. */
export function inputMapProblem(map: unknown, where: string): string | undefined {
  return problemOf(map, where, 1, { nodes: 0 });
}

function problemOf(map: unknown, where: string, depth: number, count: { nodes: number }): string | undefined {
  count.nodes += 1;
  if (count.nodes > HOST_LIMITS.eventWhereNodes)
    return `${where}: the input has more than ${HOST_LIMITS.eventWhereNodes} fields`;
  if (typeof map === "string") return eventPathProblem(map, ROOTS, where);
  if (!isPlain(map)) return `${where}: must be a path, such as "data.orderId", or an object of paths`;
  if (depth > HOST_LIMITS.eventWhereDepth)
    return `${where}: is nested deeper than ${HOST_LIMITS.eventWhereDepth} levels`;
  for (const key of Reflect.ownKeys(map)) {
    if (typeof key === "symbol" || key === "__proto__") return `${where}: ${String(key)} cannot be the name of a field`;
    const problem = problemOf(Reflect.get(map, key), `${where}.${key}`, depth + 1, count);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Returns the input of a run. Without a map it is the data of the event. */
export function mapInput(map: InputMap | undefined, event: MappedEvent): unknown {
  if (map === undefined) return event.data;
  if (typeof map === "string") return readPath(event, map.split("."));
  const fields = Object.entries(map).map(([name, part]) => [name, mapInput(part, event)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}
