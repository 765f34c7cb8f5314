/**
 * The check of options and dependencies, where a deployer gives them (RUN7).
 *
 * Owns: the schemas of their fields, the messages, and `Misconfigured`. Each options object has one schema beside its type.
 * A message names the field and never quotes its value, which may be secret.
 *
 * Invariants
 * - O1 Dependencies are checked once per object, not at each request.
 */
import {
  DEFAULT_LIMITS,
  type Duration,
  HoldfastError,
  type Limits,
  type StepDispatcher,
  nameProblem,
  parseDurationMs,
} from "@holdfast/protocol";
import * as v from "valibot";
import type { BucketLike, DurableObjectNamespaceLike, RateLimitLike } from "./platform-types.ts";
import { ApiRefusal } from "./refusal.ts";

/** A binding is missing, or a variable or dependency is invalid. Every request is answered 503. */
export class Misconfigured extends ApiRefusal {
  /** The message for the log, which names the field. */
  readonly detail: string;

  /** @param answer The message for callers. It names bindings, and no variables. */
  constructor(detail: string, answer = "This deployment is misconfigured. Its log names the field.") {
    super("misconfigured", answer);
    this.detail = detail;
  }
}

/** Returns the text of an error for the log. The message of a parser may quote a secret, so it is left out. */
export function failureText(error: unknown): string {
  return error instanceof SyntaxError ? "A text of the configuration is not valid JSON." : String(error);
}

/** What the log of this process has from its start. */
let atStart: string | undefined;

/** Logs the failure of a process that nobody may ask for a while. `undefined`: there is none. */
export function reportAtStart(failure: Misconfigured | undefined): void {
  atStart = undefined;
  if (failure !== undefined) reportMisconfigured(failure);
  atStart = failure?.detail;
}

/** Logs the failure, unless the start did, and returns it. */
export function reportMisconfigured(failure: Misconfigured): Misconfigured {
  if (failure.detail !== atStart) console.error(`holdfast: this deployment is misconfigured. ${failure.detail}`);
  return failure;
}

export type OptionsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/** Returns the first problem of an options object; `undefined`: it is valid. `where` names the object. */
export function problemOf(schema: OptionsSchema, value: unknown, where: string): string | undefined {
  return readOptions(schema, value, where).problem;
}

/** Reads each field of an options object once. Returns a copy that the schema has checked, or the first problem. */
export function readOptions(
  schema: OptionsSchema,
  value: unknown,
  where: string,
): { readonly value?: unknown; readonly problem?: string } {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !hasMethods("then")(value);
  if (!isObject) return { problem: `${where}: must be an object with ${Object.keys(schema.entries).join(", ")}.` };
  const result = v.safeParse(schema, value, { abortEarly: true });
  return result.success ? { value: result.output } : { problem: describeIssue(schema, result.issues[0], where) };
}

function describeIssue(schema: OptionsSchema, issue: v.BaseIssue<unknown>, where: string): string {
  const field = [where, ...(issue.path ?? []).map(({ key }) => String(key))].join(".");
  if (issue.type !== "strict_object") return `${field}: ${issue.message}.`;
  if (issue.expected === "never") return `${field}: unknown option.${suggestion(schema as Nested, issue.path ?? [])}`;
  return issue.path === undefined ? `${field}: must be an object.` : `${field}: is missing.`;
}

/** Names the field that was probably meant, or all fields of the options object. */
function suggestion(schema: Nested, path: readonly { readonly key: unknown }[]): string {
  const keys = path.map(({ key }) => String(key));
  const known = Object.keys(entriesAt(schema, keys.slice(0, -1)));
  const near = nearest(keys.at(-1) ?? "", known);
  if (near !== undefined) return ` Did you mean ${near}?`;
  return known.length === 0 ? "" : ` Known are: ${known.join(", ")}.`;
}

interface Nested {
  readonly entries?: Readonly<Record<string, Nested>>;
  /** Of an optional field: its schema. */
  readonly wrapped?: Nested;
}

function entriesAt(schema: Nested, keys: readonly string[]): object {
  let at: Nested | undefined = schema;
  for (const key of keys) at = at?.entries?.[key]?.wrapped ?? at?.entries?.[key];
  return at?.entries ?? {};
}

/** Returns the known name that differs from `name` in at most two letters, or continues it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((one) => ({ one, distance: one.startsWith(name) ? 1 : distance(one, name) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.min(2, name.length - 1) ? best.one : undefined;
}

/** The number of letters to insert, remove or replace (Levenshtein). Case does not count. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_none, i) => i);
  for (const [i, letter] of Array.from(a.toLowerCase()).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b.toLowerCase()).entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * Checks the options of an exported function, where they are given.
 * @throws HoldfastError `INVALID_ARGUMENT`
 */
export function checkOptions(schema: OptionsSchema, options: unknown, where: string): void {
  const problem = problemOf(schema, options, where);
  if (problem !== undefined) throw new HoldfastError("INVALID_ARGUMENT", problem);
}

/**
 * Returns the check of the dependencies of an exported handler. Each object is checked, and its failure logged, once.
 * The check throws `Misconfigured`.
 */
export function depsCheck(schema: OptionsSchema, where: string): (deps: object) => void {
  const valid = new WeakSet<object>();
  const invalid = new WeakMap<object, Misconfigured>();
  return (deps) => {
    if (valid.has(deps)) return;
    const known = invalid.get(deps);
    if (known !== undefined) throw known;
    const problem = problemOf(schema, deps, where);
    if (problem === undefined) return void valid.add(deps);
    const failure = reportMisconfigured(new Misconfigured(problem));
    if (typeof deps === "object" && deps !== null) invalid.set(deps, failure);
    throw failure;
  };
}

/** Whether a value is an object, or a binding of the platform, with these methods. */
export function hasMethods(...names: readonly string[]): (value: unknown) => boolean {
  return (value) => !isServiceBinding(value) && names.every((name) => hasMethod(value, name));
}

/** Whether a value is a service binding: it has a stub for every name, so it looks like any other binding. */
export function isServiceBinding(value: unknown): boolean {
  return hasMethod(value, "holdfastProbe");
}

function hasMethod(value: unknown, name: string): boolean {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return typeof (value as Readonly<Record<string, unknown>>)[name] === "function";
}

/** A schema of objects with these methods. Such an object may be an instance of any class, so it may have more fields. */
export function withMethods<T>(...names: readonly string[]): v.GenericSchema<T> {
  return v.custom<T>(hasMethods(...names), `must be an object with the methods ${names.join(", ")}`);
}

export const isFunction = v.custom<(...args: never[]) => unknown>(
  (value) => typeof value === "function",
  "must be a function",
);

export const count = v.custom<number>(
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  "must be a whole number of at least 1",
);

export const countOrZero = v.custom<number>(
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "must be a whole number of at least 0",
);

/** A delay of a timer, ms: a longer one would fire at once. */
export const delayMs = v.custom<number>(
  (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 2 ** 31 - 1,
  "must be a whole number of milliseconds from 1 to 2147483647",
);

/** A duration, or no deletion. */
export const RETENTION_TIME = v.custom<Duration | "forever">(
  (value) => value === "forever" || isDuration(value),
  'must be "forever", or a duration of at most ten years such as "30d", "12h" or a number of milliseconds',
);

export function isDuration(value: unknown): value is Duration {
  try {
    parseDurationMs(value, "");
    return true;
  } catch (error) {
    if (error instanceof HoldfastError) return false;
    throw error;
  }
}

function isHttpUrl(value: unknown): value is string {
  // A URL parser also accepts blanks around a URL, backslashes and missing slashes: the text is used as it is.
  if (typeof value !== "string" || !/^https?:\/\/[^\s\\]+$/i.test(value) || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  // No request can be sent to a URL with a password.
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

/** A URL to which paths are appended. */
function isBaseUrl(value: unknown): value is string {
  if (!isHttpUrl(value)) return false;
  const { search, hash } = new URL(value);
  return search === "" && hash === "" && !/[?#]/.test(value);
}

/** The text that browsers send as `Origin`. */
function isOrigin(value: unknown): value is string {
  return isHttpUrl(value) && new URL(value).origin === value;
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

/** A strict schema of a plain object. An instance of a class may have other fields of its own. */
function plainOr<Entries extends v.ObjectEntries>(entries: Entries) {
  const [strict, loose] = [v.strictObject(entries), v.looseObject(entries)];
  return v.lazy((value) => (isPlain(value) ? strict : loose));
}

function limits(entry: v.ObjectEntries[string]): OptionsSchema {
  return v.strictObject(Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, entry])));
}

/** All limits. */
export const LIMITS_SCHEMA = limits(count) as unknown as v.GenericSchema<Limits>;
/** Limits that differ from their defaults. */
export const CHANGED_LIMITS: OptionsSchema = limits(v.exactOptional(count));

/** The schemas of fields that several options objects have. */
export const FIELDS = {
  namespace: withMethods<DurableObjectNamespaceLike>("idFromName", "get"),
  bucket: withMethods<BucketLike>("put", "get", "delete"),
  dispatcher: withMethods<StepDispatcher>("start", "workflows"),
  runIndex: withMethods("upsert", "remove", "query"),
  rateLimit: withMethods<RateLimitLike>("limit"),
  environment: v.custom<string>(
    (value) => nameProblem(value) === undefined,
    "must be a non-empty text of at most 256 bytes",
  ),
  httpUrl: v.custom<string>(isHttpUrl, "must be an http or https URL without a password"),
  publicUrl: v.custom<string>(isBaseUrl, "must be an http or https URL without a password, a query and a fragment"),
  allowedOrigins: v.pipe(
    v.array(
      v.custom<string>(
        isOrigin,
        'must be an origin such as "https://app.example", without a path or a slash at the end',
      ),
      "must be a list of origins",
    ),
    v.readonly(),
  ),
  requestBytesMax: count,
  executionsMax: count,
  hold: v.boolean("must be true or false"),
  rev: v.custom<number>((value) => Number.isSafeInteger(value) && Number(value) >= 0, "must be a time, ms since 1970"),
  singleProcess: v.boolean("must be true or false"),
  retention: v.strictObject({
    default: v.optional(RETENTION_TIME),
    workflows: v.optional(v.record(v.string(), v.optional(RETENTION_TIME))),
  }),
  telemetry: plainOr({ event: v.optional(isFunction), ended: v.optional(isFunction), counted: v.optional(isFunction) }),
} as const;
