/**
 * The bindings and variables of a deployment, read and validated in one place.
 *
 * Owns: their names, what each may hold, and the message for each mistake. Every other file gets typed values. A message
 * names the field and never repeats what the field holds: it may be a secret.
 */
import {
  type Duration,
  HoldfastError,
  type Limits,
  limitsFrom,
  nameProblem,
  parseDurationMs,
} from "@holdfast/protocol";
import * as v from "valibot";
import { bearerAuth } from "../auth/bearer.ts";
import type { VerifyRequest } from "../auth/principal.ts";
import type { BucketLike, DurableObjectNamespaceLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";

/** The deployment cannot serve: a binding is missing, or a variable holds what it may not. Answered with 503. */
export class Misconfigured extends ApiRefusal {
  /** For the log: names the field. */
  readonly detail: string;

  /** @param answer What callers may read. Variables are named in the log only. */
  constructor(detail: string, answer = "This deployment is misconfigured. Its log names the field.") {
    super("misconfigured", answer);
    this.detail = detail;
  }
}

/** A variable that is not set is `null` in plain workerd. An empty one counts as not set. */
const variable = v.nullish(v.string("must be text"));

/** A variable that holds something else than plain text. */
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

function refuse(message: string): never {
  throw new HoldfastError("INVALID_ARGUMENT", message);
}

function objectClass(name: string, className: string): string {
  return (
    `The binding ${name} is missing. Add { "name": "${name}", "class_name": "${className}" } to durable_objects.bindings of ` +
    `wrangler.jsonc, and { "tag": "v1", "new_sqlite_classes": ["${className}"] } to its migrations; then export ${className} from the Worker.`
  );
}

const MISSING = {
  WORKFLOW_RUN_DO: objectClass("WORKFLOW_RUN_DO", "WorkflowRunDO"),
  RUN_INDEX_DO:
    'The binding RUN_INDEX_DO is no Durable Object. Bind the class RunIndexDO, with "new_sqlite_classes" in a migration, or take the binding away.',
  PAYLOADS: 'The binding PAYLOADS is no R2 bucket. Bind one in "r2_buckets", or take the binding away.',
} as const;

const isNamespace = (value: unknown): boolean => hasMethod(value, "idFromName");

const BINDINGS = {
  /** Required: one object for each run. */
  WORKFLOW_RUN_DO: v.custom<DurableObjectNamespaceLike>(isNamespace, MISSING.WORKFLOW_RUN_DO),
  /** Lists runs. Without it, listing answers `501`. */
  RUN_INDEX_DO: v.nullish(v.custom<DurableObjectNamespaceLike>(isNamespace, MISSING.RUN_INDEX_DO)),
  /** An R2 bucket for large payloads of ended runs. Without it they stay in the run's object. */
  PAYLOADS: v.nullish(v.custom<BucketLike>((value) => hasMethod(value, "put"), MISSING.PAYLOADS)),
};

const VARIABLES = {
  /** The tokens that may call the API. */
  API_TOKENS: parsed<VerifyRequest>(bearerAuth),
  /** `off` or `open`: everybody may call the API. For local development. */
  AUTH: parsed((text) => (text === "off" || text === "open" ? text : refuse('must be "off", "open", or not set.'))),
  /** How long ended runs are kept. */
  RETENTION: parsed((text): Duration | "forever" => {
    if (text !== "forever") parseDurationMs(text, "a duration");
    return text as Duration | "forever";
  }),
  /** Limits other than the default, as JSON. */
  LIMITS: parsed<Limits>(limitsFrom),
  /** An OpenTelemetry collector. */
  OTLP_URL: parsed((text) =>
    URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : refuse("must be an http or https URL."),
  ),
  /** Headers for the collector, as a JSON object of texts. */
  OTLP_HEADERS: parsed(readHeaders),
  /** The environment that runs are marked with. */
  ENVIRONMENT: parsed((text) => (nameProblem(text) === undefined ? text : refuse(`${nameProblem(text)}.`))),
};

const ENVIRONMENT = v.strictObject({ ...BINDINGS, ...VARIABLES });

export type Environment = v.InferOutput<typeof ENVIRONMENT>;

/**
 * Reads what the deployment is configured with. Other bindings and variables belong to the deployment and are ignored.
 * @throws Misconfigured naming the first field that is wrong.
 */
export function readEnvironment(env: object): Environment {
  const fields = Object.keys(ENVIRONMENT.entries);
  const given = Object.fromEntries(fields.map((field) => [field, (env as Record<string, unknown>)[field]]));
  const result = v.safeParse(ENVIRONMENT, given);
  if (result.success) return result.output;
  const [{ message, path }] = result.issues;
  const field = String(path?.[0].key);
  throw Object.hasOwn(BINDINGS, field)
    ? new Misconfigured(message, message)
    : new Misconfigured(`${field}: ${message}`);
}

function readHeaders(text: string): Readonly<Record<string, string>> {
  const problem = 'must be a JSON object of texts, like {"Authorization":"Bearer …"}.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says may repeat a secret.
    return refuse(problem);
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value as object).every((one) => typeof one === "string")) return refuse(problem);
  return value as Readonly<Record<string, string>>;
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)[name] === "function";
}
