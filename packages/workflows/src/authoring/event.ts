/**
 * `event()`: an event type, with the type of its data and its key.
 *
 * Owns: the definition. It is data, which a workflow declares as it is; the function of a key and the schema are not sent.
 */
import {
  type Duration,
  type EventDeclaration,
  checkFields,
  defined,
  invalid,
  parseDurationMs,
} from "@holdfast/protocol";
import type { StandardTypedV1 } from "@standard-schema/spec";
import { checkName } from "./checks.ts";
import { textOf } from "./schema.ts";

export interface EventOptions<T> {
  /** Any Standard Schema. It gives the type of the data. */
  readonly schema?: StandardTypedV1<T> | undefined;
  /** How long an event is stored for waits that come later. Default: 24 hours, at most 30 days, and 1,000 events of a key. */
  readonly keep?: Duration | undefined;
}

/** An event type. `Keyed`: its events have a key, so `ctx.waitForEvent` can wait for those with one. */
export interface EventDefinition<T = unknown, Keyed extends boolean = boolean> extends EventDeclaration {
  /** For the type checker only. */
  readonly types?: { readonly data: T; readonly isKeyed: Keyed };
  /** Returns the key of an event with this data. */
  keyOf?(data: T): unknown;
}

/**
 * Defines an event type. `key`: a path in the data, such as `"orderId"`, or a function. A server computes a path itself; a
 * function is called where the event is sent.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid name, key or duration.
 */
export function event<T = unknown>(
  name: string,
  options: EventOptions<T> & { readonly key: string | ((data: NoInfer<T>) => string) },
): EventDefinition<T, true>;
export function event<T = unknown>(
  name: string,
  options?: EventOptions<T> & { readonly key?: undefined },
): EventDefinition<T, false>;
export function event(
  name: string,
  options: EventOptions<unknown> & { readonly key?: string | ((data: never) => string) | undefined } = {},
): EventDefinition {
  checkName(name, "event");
  const where = `event(${JSON.stringify(name)})`;
  checkFields(options, ["schema", "key", "keep"], where);
  const { key, keep, schema } = options;
  const isPath = typeof key === "string";
  if (key !== undefined && !isPath && typeof key !== "function")
    throw invalid(`${where}.key`, "must be a path or a function.");
  const keepMs = keep === undefined ? undefined : parseDurationMs(keep, `${where}.keep`);
  const declared = defined({
    name,
    key: isPath ? key : undefined,
    keyed: key !== undefined || undefined,
    keepMs,
  });
  const keyOf = isPath ? (data: unknown) => key.split(".").reduce((value, part) => Object(value)[part], data) : key;
  return Object.defineProperties(declared, { keyOf: { value: keyOf }, schema: { value: schema } });
}

/**
 * Checks the data of an event that is sent against the schema of its definition (EVT16), and returns its key: the given one, or
 * that of its definition. What a schema answers later is not awaited: the operation must be requested at once.
 * @throws HoldfastError `INVALID_ARGUMENT`
 */
export function keyToSend<T>(sent: EventDefinition<T>, data: T, key: unknown, where: string): string | undefined {
  // A schema that cannot validate, or that answers later, has no issues here.
  const { issues } = Object(Object(sent.schema)["~standard"]?.validate?.(data));
  if (issues) throw invalid(`${where}.data`, textOf(issues));
  const found = key ?? sent.keyOf?.(data);
  if (found === undefined || found === null) return undefined;
  const text = typeof found === "number" || typeof found === "boolean" ? `${found}` : found;
  checkName(text, `${where}.key`);
  return text as string;
}
