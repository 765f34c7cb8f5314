/**
 * The bindings and variables of a deployment.
 *
 * Owns: their names, their validation, and the message for each invalid one. All other files get typed values. A message
 * names the field and never quotes its value, which may be secret.
 */
import { HoldfastError, type Limits, limitsFrom } from "@holdfast/protocol";
import * as v from "valibot";
import { bearerAuth } from "../auth/bearer.ts";
import type { VerifyRequest } from "../auth/principal.ts";
import { URL_KEYS } from "../auth/url-keys.ts";
import {
  CHANGED_LIMITS,
  FIELDS,
  Misconfigured,
  checkOptions,
  RETENTION_TIME,
  hasMethods,
  reportAtStart,
} from "../options.ts";
import type { BucketLike, DurableObjectNamespaceLike, RateLimitLike } from "../platform-types.ts";

/** In plain workerd, a variable that is not set is `null`. An empty variable counts as not set. */
const variable = v.nullish(v.string("must be text"));

/** A variable whose text is parsed. */
function parsed<T>(parse: (text: string) => T) {
  return v.pipe(
    variable,
    v.rawTransform(({ dataset: { value: text }, addIssue, NEVER }): T | undefined => {
      if (text === undefined || text === null || text === "") return undefined;
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** A variable whose text has this schema. */
function checked<T>(schema: v.GenericSchema<T>) {
  return parsed((text) => valid(schema, text));
}

function readFlag(text: string): boolean {
  return text === "true" || text === "false" ? text === "true" : refuse('must be "true" or "false".');
}

function valid<T>(schema: v.GenericSchema<T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : refuse(`${result.issues[0].message}.`);
}

function readTime(text: string): number {
  const at = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(at) || at < 0
    ? refuse('must be a time: ms since 1970, or ISO 8601 as in "2026-01-31T12:00:00Z".')
    : at;
}

function splitList(text: string): readonly string[] {
  return text.split(",").map((one) => one.trim());
}

function refuse(message: string): never {
  throw new HoldfastError("INVALID_ARGUMENT", message);
}

function objectClass(name: string, className: string): string {
  return (
    `The binding ${name} is missing. Add { "name": "${name}", "class_name": "${className}" } to durable_objects.bindings of ` +
    `wrangler.jsonc, and { "tag": "v1", "new_sqlite_classes": ["${className}"] } to its migrations; then export ${className} from the Worker.`
  );
}

export const MISSING_COORDINATOR: string = objectClass("COORDINATOR_DO", "CoordinatorDO");

const MISSING = {
  WORKFLOW_RUN_DO: objectClass("WORKFLOW_RUN_DO", "WorkflowRunDO"),
  RUN_INDEX_DO:
    'The binding RUN_INDEX_DO is not a Durable Object. Bind the class RunIndexDO, with "new_sqlite_classes" in a migration, or remove the binding.',
  COORDINATOR_DO:
    'The binding COORDINATOR_DO is not a Durable Object. Bind the class CoordinatorDO, with "new_sqlite_classes" in a migration, or remove the binding.',
  CF_VERSION_METADATA:
    'The binding CF_VERSION_METADATA is not that of the version. Set "version_metadata": { "binding": "CF_VERSION_METADATA" }, or remove the binding.',
  PAYLOADS: 'The binding PAYLOADS is not an R2 bucket. Bind a bucket in "r2_buckets", or remove the binding.',
  PUBLIC_RATE_LIMIT:
    'The binding PUBLIC_RATE_LIMIT is not a rate-limiting binding. Add it to "ratelimits" of wrangler.jsonc, or remove it.',
} as const;

const isNamespace = hasMethods("idFromName", "get");

function isVersion(value: unknown): boolean {
  const { timestamp } = Object(value) as { readonly timestamp?: unknown };
  return typeof timestamp === "string" && !Number.isNaN(Date.parse(timestamp));
}

const BINDINGS = {
  /** Required. One object per run. */
  WORKFLOW_RUN_DO: v.custom<DurableObjectNamespaceLike>(isNamespace, MISSING.WORKFLOW_RUN_DO),
  /** The index of runs. Without it, lists answer `501`. */
  RUN_INDEX_DO: v.nullish(v.custom<DurableObjectNamespaceLike>(isNamespace, MISSING.RUN_INDEX_DO)),
  /** The objects of limits, schedules and topics. Without it a workflow that declares one is refused. */
  COORDINATOR_DO: v.nullish(v.custom<DurableObjectNamespaceLike>(isNamespace, MISSING.COORDINATOR_DO)),
  /** The version of the Worker. Its time orders the declarations of versions. */
  CF_VERSION_METADATA: v.nullish(v.custom<{ readonly timestamp: string }>(isVersion, MISSING.CF_VERSION_METADATA)),
  /** An R2 bucket for large payloads of ended runs. Without it they stay in the run's object. */
  PAYLOADS: v.nullish(v.custom<BucketLike>(hasMethods("put", "get", "delete"), MISSING.PAYLOADS)),
  /** A rate-limiting binding for the requests that need no credentials. Without it they are not limited. */
  PUBLIC_RATE_LIMIT: v.nullish(v.custom<RateLimitLike>(hasMethods("limit"), MISSING.PUBLIC_RATE_LIMIT)),
};

const VARIABLES = {
  /** The tokens that the API accepts. */
  API_TOKENS: parsed<VerifyRequest>(bearerAuth),
  /** `off` or `open`: the API accepts every request. For local development. */
  AUTH: parsed((text) => (text === "off" || text === "open" ? text : refuse('must be "off", "open", or not set.'))),
  /** The retention of ended runs. */
  RETENTION: checked(RETENTION_TIME),
  /** The time of this version in place of CF_VERSION_METADATA, ms since 1970 or ISO 8601. */
  REV: parsed(readTime),
  /** `true`: no execution begins, and alarms do nothing. */
  HOLD: parsed(readFlag),
  /** How many runs of an isolate may execute when an alarm begins another one. */
  EXECUTIONS_MAX: parsed((text) =>
    /^[1-9]\d{0,8}$/.test(text) ? Number(text) : refuse("must be a whole number of at least 1."),
  ),
  /** `true`: one process is the whole deployment, so `/metrics` shows its counters. */
  SINGLE_PROCESS: parsed(readFlag),
  /** Limits that differ from their defaults, as JSON. */
  LIMITS: parsed<Limits>(readLimits),
  /** `all`: every event of a run is logged, not only warnings and errors. */
  LOG_EVENTS: parsed((text) => (text === "all" ? text : refuse('must be "all", or not set.'))),
  /** The URL of an OpenTelemetry collector. */
  OTLP_URL: checked(FIELDS.httpUrl),
  /** Headers for the collector, as a JSON object of strings. */
  OTLP_HEADERS: parsed(readHeaders),
  /** The URL of the API, as callers and browsers use it. */
  PUBLIC_URL: checked(FIELDS.publicUrl),
  /** Other origins whose pages may call the API, separated by commas. */
  ALLOWED_ORIGINS: parsed<readonly string[]>((text) => valid(FIELDS.allowedOrigins, splitList(text))),
  /** The keys of public URLs, the newest first, separated by commas. */
  URL_KEYS: parsed<readonly string[]>((text) => valid(URL_KEYS, splitList(text))),
  /** The environment of runs whose trigger names none. */
  ENVIRONMENT: checked(FIELDS.environment),
};

const ENVIRONMENT = v.strictObject({ ...BINDINGS, ...VARIABLES });

export type Environment = v.InferOutput<typeof ENVIRONMENT>;

/**
 * Reads the bindings and variables of Holdfast. All others belong to the deployer's code and are ignored.
 * @throws Misconfigured with the name of each invalid field.
 */
export function readEnvironment(env: object): Environment {
  const fields = Object.keys(ENVIRONMENT.entries);
  const given = Object.fromEntries(fields.map((field) => [field, (env as Record<string, unknown>)[field]]));
  const result = v.safeParse(ENVIRONMENT, given);
  if (result.success) return result.output;
  const problems = result.issues.map(({ message, path }) => ({ field: String(path?.[0].key), message }));
  const bindings = problems.filter(({ field }) => Object.hasOwn(BINDINGS, field)).map(({ message }) => message);
  const details = problems.map(({ field, message }) =>
    // A message about a part of the variable names the variable already.
    new RegExp(`^(The binding )?${field}\\b`).test(message) ? message : `${field}: ${message}`,
  );
  throw new Misconfigured(details.join(" "), ...(bindings.length === 0 ? [] : [bindings.join(" ")]));
}

/** Logs the invalid fields, for a process that nobody may ask for a while. Each reader still refuses them, and logs them no more. */
export function logInvalidFields(env: object): void {
  try {
    readEnvironment(env);
    reportAtStart(undefined);
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    reportAtStart(error);
  }
}

function readLimits(text: string): Limits {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // `limitsFrom` states the expected form.
  }
  if (isPlainObject(value)) checkOptions(CHANGED_LIMITS, value, "LIMITS");
  return limitsFrom(text, "LIMITS");
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readHeaders(text: string): Readonly<Record<string, string>> {
  const problem = 'must be a JSON object of strings, like {"Authorization":"Bearer …"}.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message may quote a secret.
    return refuse(problem);
  }
  if (!isPlainObject(value) || !Object.values(value).every((one) => typeof one === "string")) return refuse(problem);
  try {
    return Object.fromEntries(new Headers(value as Record<string, string>));
  } catch {
    return refuse("has a name or a value that no HTTP header can have.");
  }
}
