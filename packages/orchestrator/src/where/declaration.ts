/**
 * What workflows declare about events, checked where a deployment registers them (EVT2).
 *
 * Owns: the form of declarations. Each problem names the workflow and the field, and says what to write.
 */
import { type EventUse, HOST_LIMITS, nameProblem } from "@holdfast/protocol";
import { inputMapProblem } from "./input-map.ts";
import { isPlain, pathProblem } from "./paths.ts";
import { whereProblem } from "./where-check.ts";

/** A workflow with its declarations. */
export interface DeclaringWorkflow extends EventUse {
  readonly id: string;
}

/** Returns what is wrong with the declarations of a workflow, or `undefined`. */
export function eventUseProblem({ id, on, cancelOn, events }: DeclaringWorkflow): string | undefined {
  const where = `workflow(${JSON.stringify(id)})`;
  return (
    listProblem(on, `${where}.on`, triggerProblem) ??
    repeatedTrigger(on, `${where}.on`) ??
    listProblem(cancelOn, `${where}.cancelOn`, cancelProblem) ??
    listProblem(events, `${where}.events`, eventProblem)
  );
}

function listProblem(
  list: unknown,
  where: string,
  problemOf: (item: object, where: string) => string | undefined,
): string | undefined {
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || list.length > HOST_LIMITS.eventTriggers)
    return `${where}: must be a list of at most ${HOST_LIMITS.eventTriggers} declarations`;
  for (let at = 0; at < list.length; at++) {
    const item: unknown = list[at];
    const place = `${where}[${at}]`;
    const problem = isPlain(item) ? problemOf(item, place) : `${place}: must be an object`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function repeatedTrigger(on: EventUse["on"], where: string): string | undefined {
  const ids = (on ?? []).map(({ id }) => id);
  const again = ids.find((id, at) => ids.indexOf(id) !== at);
  return again && `${where}: two triggers have the id ${JSON.stringify(again)}. Give each its own`;
}

function triggerProblem(trigger: object, where: string): string | undefined {
  const { id, event, where: filter, input } = { ...BLANK, ...trigger };
  const unknown = unknownField(trigger, ["id", "event", "where", "input"], where);
  if (unknown !== undefined) return unknown;
  const problem = nameProblem(id);
  if (problem !== undefined) return `${where}.id: ${problem}`;
  return (
    eventProblem(event, `${where}.event`) ??
    filterProblem(filter, `${where}.where`) ??
    (input === undefined ? undefined : inputMapProblem(input, `${where}.input`))
  );
}

function filterProblem(filter: unknown, where: string): string | undefined {
  if (filter === undefined || typeof filter === "function") return undefined;
  return isPlain(filter) && Object.hasOwn(filter, "function")
    ? `${where}: is a function, and this deployment calls the code in another process, so it cannot call it. Give a filter as data, such as { "data.cents": { gte: 100 } }`
    : whereProblem(filter, where);
}

function cancelProblem(cancel: object, where: string): string | undefined {
  const { event, key } = { ...BLANK, ...cancel };
  const unknown = unknownField(cancel, ["event", "key"], where);
  if (unknown !== undefined) return unknown;
  const problem = eventProblem(event, `${where}.event`) ?? pathIn(key, `${where}.key`);
  if (problem !== undefined) return problem;
  return isKeyed(event) ? undefined : `${where}.event: the event must declare a key`;
}

function unknownField(item: object, fields: readonly string[], where: string): string | undefined {
  const unknown = Object.keys(item).find((field) => !fields.includes(field));
  return unknown && `${where}: has no field ${JSON.stringify(unknown)}. Fields: ${fields.join(", ")}`;
}

function isKeyed(event: unknown): boolean {
  return isPlain(event) && ("key" in event || "keyed" in event);
}

function eventProblem(event: unknown, where: string): string | undefined {
  if (!isPlain(event)) return `${where}: must be what event(…) returned`;
  const { name, key, keepMs } = { ...BLANK, ...event };
  const problem = nameProblem(name);
  if (problem !== undefined) return `${where}.name: ${problem}`;
  if (hasControls(String(name))) return `${where}.name: must not hold control characters`;
  if (keepMs !== undefined && !(typeof keepMs === "number" && keepMs >= 0 && keepMs <= HOST_LIMITS.topicKeepMsMax))
    return `${where}.keep: must be a duration of at most 30 days`;
  return key === undefined ? undefined : pathIn(key, `${where}.key`);
}

function hasControls(text: string): boolean {
  return Array.from(text).some((char) => char < " " || char === "\u007f");
}

function pathIn(path: unknown, where: string): string | undefined {
  const problem = pathProblem(path);
  return problem && `${where}: ${problem}`;
}

/** The fields of all declarations, so that each can be read from an object of any form. */
const BLANK: Readonly<Record<"id" | "event" | "where" | "input" | "key" | "name" | "keepMs", unknown>> = {
  id: undefined,
  event: undefined,
  where: undefined,
  input: undefined,
  key: undefined,
  name: undefined,
  keepMs: undefined,
};
