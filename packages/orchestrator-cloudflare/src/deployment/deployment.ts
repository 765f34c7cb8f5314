/**
 * Computes the dependencies of the Worker and its objects from a deployer's options and the environment.
 *
 * Owns: the options of `holdfast`, the defaults, and their computation once per isolate. Invalid options throw when the
 * Worker is loaded. Invalid bindings, variables and dependencies are logged once, and every request is rejected.
 */
import { type FlowLimit, type ScheduleConfig, readFlow } from "@holdfast/orchestrator";
import {
  DEFAULT_LIMITS,
  type DeclaredSchedule,
  HoldfastError,
  type Limits,
  type StepDispatcher,
  type WorkflowDefinition,
  defined,
  flowOf,
  limitsFrom,
} from "@holdfast/protocol";
import * as v from "valibot";
import type { WorkerDeps } from "../api/call/worker-deps.ts";
import { VERIFIER } from "../auth/authenticate.ts";
import { type VerifyRequest, closedVerifier } from "../auth/principal.ts";
import { URL_KEYS } from "../auth/url-keys.ts";
import { HOOKS } from "../auth/webhook.ts";
import { createInlineDispatcher } from "../dispatch/inline-dispatcher.ts";
import type { CoordinatorObjectDeps } from "../coordinator/deps.ts";
import { durableObjectIndex } from "../index-object/durable-object-index.ts";
import type { DurableObjectStorageLike, SocketHostLike, SqlStorageLike } from "../platform-types.ts";
import {
  CHANGED_LIMITS,
  FIELDS,
  Misconfigured,
  checkOptions,
  failureText,
  hasMethods,
  isFunction,
  problemOf,
  reportMisconfigured,
} from "../options.ts";
import { type RunObjectDeps, checkRunObjectDeps } from "../run-object/deps.ts";
import { otlpCounters, otlpExporter } from "../telemetry/otlp.ts";
import { type Telemetry, logEvents } from "../telemetry/telemetry.ts";
import { type Environment, MISSING_COORDINATOR, readEnvironment } from "./environment.ts";
import { readSchedules } from "./schedules.ts";

/** `ctx` of an SQLite-backed Durable Object. */
export interface ObjectContextLike extends SocketHostLike {
  readonly storage: DurableObjectStorageLike & { readonly sql: SqlStorageLike };
  readonly id?: { toString(): string };
}

/** Replacements of defaults. A field that is missing or `undefined` keeps the default. */
export type HoldfastDeps = Partial<
  Omit<WorkerDeps, "runDO" | "coordinatorDO" | "limits" | "schedules" | "declaredLimits" | "rev">
> &
  Partial<Pick<RunObjectDeps, "retention" | "bucket" | "telemetry" | "executionsMax">> & {
    /** Replaces the variable LIMITS. A missing limit keeps its default. */
    readonly limits?: Partial<Limits> | undefined;
  };

export interface HoldfastOptions<Env extends object = object> {
  /** Workflows that execute in the runs' own objects, as `workflow()` of @holdfast/workflows returns them. */
  readonly workflows?: readonly WorkflowDefinition[] | undefined;
  /**
   * The schedules that this build declares, as `schedule()` of @holdfast/workflows returns them (SCH9). An empty list removes
   * those of earlier builds. They need the binding COORDINATOR_DO.
   */
  readonly schedules?: readonly DeclaredSchedule[] | undefined;
  /** The dispatcher to workflow code elsewhere, in place of `workflows`. */
  readonly dispatcher?: (StepDispatcher | ((env: Env) => StepDispatcher)) | undefined;
  /** `false`: `/ui` is answered as any other path. By default the dashboard is there (DASH1). */
  readonly dashboard?: boolean | undefined;
  /** Returns dependencies that replace those from bindings and variables. Called once per isolate. */
  readonly deps?: ((env: Env) => HoldfastDeps) | undefined;
  /** Replaces the dependencies of one run's object, for instrumentation and tests. Called once per instance. */
  runObject?(deps: RunObjectDeps, ctx: ObjectContextLike, env: Env): RunObjectDeps;
}

const isDispatcher = hasMethods("start", "workflows");

const OPTIONS = v.strictObject({
  // `createInlineDispatcher` checks the list, and `readSchedules` the other one.
  workflows: v.optional(v.any()),
  schedules: v.optional(v.any()),
  dispatcher: v.optional(
    v.custom<StepDispatcher>(
      (value) => typeof value === "function" || isDispatcher(value),
      "must be a dispatcher, or a function that returns one",
    ),
  ),
  dashboard: v.optional(v.boolean("must be a boolean")),
  deps: v.optional(isFunction),
  runObject: v.optional(isFunction),
} satisfies Record<keyof HoldfastOptions, v.GenericSchema>);

/** In plain workerd, a variable that is not set is `null`. Then the field keeps its default. */
const DEPS = v.strictObject({
  verifyRequest: v.nullish(VERIFIER),
  runIndex: v.nullish(FIELDS.runIndex),
  environment: v.nullish(FIELDS.environment),
  publicUrl: v.nullish(FIELDS.publicUrl),
  allowedOrigins: v.nullish(FIELDS.allowedOrigins),
  urlKeys: v.nullish(URL_KEYS),
  publicRateLimit: v.nullish(FIELDS.rateLimit),
  hooks: v.nullish(HOOKS),
  hold: v.nullish(FIELDS.hold),
  executionsMax: v.nullish(FIELDS.executionsMax),
  singleProcess: v.nullish(FIELDS.singleProcess),
  requestBytesMax: v.nullish(FIELDS.requestBytesMax),
  retention: v.nullish(FIELDS.retention),
  bucket: v.nullish(FIELDS.bucket),
  telemetry: v.nullish(FIELDS.telemetry),
  limits: v.nullish(CHANGED_LIMITS),
} satisfies Record<keyof HoldfastDeps, v.GenericSchema>);

interface Deployment {
  readonly worker: WorkerDeps;
  readonly object: Omit<RunObjectDeps, "storage" | "sockets">;
}

/** The deployments by environment. The platform passes the same environment to all handlers of an isolate. */
export class Deployments<Env extends object> {
  readonly #options: HoldfastOptions<Env>;
  readonly #dispatcherOf: (env: Env) => StepDispatcher;
  readonly #schedules: readonly ScheduleConfig[] | undefined;
  readonly #known = new WeakMap<Env, Deployment | Misconfigured>();

  /**
   * @throws HoldfastError `INVALID_ARGUMENT` for unknown or invalid options, or unless exactly one of `workflows` and
   *   `dispatcher` is given.
   */
  constructor(options: HoldfastOptions<Env>) {
    checkOptions(OPTIONS, options, "holdfast");
    this.#options = options;
    this.#dispatcherOf = dispatcherOf(options);
    this.#schedules = readSchedules(options.schedules, options.workflows);
  }

  /** @throws Misconfigured */
  workerDeps(env: Env): WorkerDeps {
    return this.#of(env).worker;
  }

  /** @throws Misconfigured */
  runObjectDeps(ctx: ObjectContextLike, env: Env): RunObjectDeps {
    const deps: RunObjectDeps = { ...this.#of(env).object, storage: ctx.storage, sockets: ctx };
    if (this.#options.runObject === undefined) return deps;
    const replaced = this.#options.runObject(deps, ctx, env);
    checkRunObjectDeps(replaced);
    return replaced;
  }

  /** @throws Misconfigured */
  coordinatorDeps({ storage }: ObjectContextLike, env: Env): CoordinatorObjectDeps {
    const { runDO, coordinatorDO, hold, dispatcher } = this.#of(env).object;
    return { storage, runDO, coordinatorDO, hold, dispatcher };
  }

  #of(env: Env): Deployment {
    let deployment = this.#known.get(env);
    if (deployment === undefined) {
      deployment = this.#read(env);
      this.#known.set(env, deployment);
    }
    if (deployment instanceof Misconfigured) throw deployment;
    return deployment;
  }

  #read(env: Env): Deployment | Misconfigured {
    try {
      return this.#compose(env);
    } catch (error) {
      return reportMisconfigured(error instanceof Misconfigured ? error : new Misconfigured(failureText(error)));
    }
  }

  #given(env: Env): HoldfastDeps {
    if (this.#options.deps === undefined) return {};
    const given = this.#options.deps(env);
    const problem = problemOf(DEPS, given, "deps");
    if (problem !== undefined) throw new Misconfigured(problem);
    return given;
  }

  #dispatcher(env: Env): StepDispatcher {
    const dispatcher = this.#dispatcherOf(env);
    if (isDispatcher(dispatcher)) return dispatcher;
    throw new Misconfigured("dispatcher: must return a dispatcher, an object with the methods start, workflows.");
  }

  #compose(env: Env): Deployment {
    const environment = readEnvironment(env);
    const given = this.#given(env);
    const limits = given.limits ? limitsFrom(given.limits) : (environment.LIMITS ?? DEFAULT_LIMITS);
    const { WORKFLOW_RUN_DO: runDO, RUN_INDEX_DO: indexDO, PAYLOADS, RETENTION, ENVIRONMENT } = environment;
    const coordinatorDO = environment.COORDINATOR_DO ?? undefined;
    if (coordinatorDO === undefined) refuseFlow(this.#options.workflows);
    const hold = given.hold ?? environment.HOLD ?? false;
    const urlKeys = given.urlKeys ?? environment.URL_KEYS ?? undefined;
    const telemetry = given.telemetry ?? telemetryOf(environment, limits);
    const runIndex = given.runIndex ?? (indexDO ? durableObjectIndex({ binding: indexDO }) : undefined);
    if (this.#schedules !== undefined && this.#schedules.length > 0 && coordinatorDO === undefined)
      throw new Misconfigured(`The code declares schedules. ${MISSING_COORDINATOR}`, MISSING_COORDINATOR);
    const both = { runDO, coordinatorDO, runIndex, urlKeys, hold, telemetry, limits };
    return {
      worker: {
        ...both,
        schedules: this.#schedules,
        declaredLimits: limitsOf(this.#options.workflows),
        rev: revOf(environment),
        verifyRequest: given.verifyRequest ?? verifierOf(environment),
        environment: given.environment ?? ENVIRONMENT,
        publicUrl: given.publicUrl ?? environment.PUBLIC_URL ?? undefined,
        allowedOrigins: given.allowedOrigins ?? environment.ALLOWED_ORIGINS ?? undefined,
        hooks: given.hooks ?? undefined,
        publicRateLimit: given.publicRateLimit ?? environment.PUBLIC_RATE_LIMIT ?? undefined,
        requestBytesMax: given.requestBytesMax ?? undefined,
        singleProcess: given.singleProcess ?? environment.SINGLE_PROCESS ?? undefined,
      },
      object: {
        ...both,
        rev: revOf(environment),
        dispatcher: this.#dispatcher(env),
        executionsMax: given.executionsMax ?? environment.EXECUTIONS_MAX ?? undefined,
        bucket: given.bucket ?? PAYLOADS ?? undefined,
        retention:
          given.retention ?? (RETENTION === undefined || RETENTION === null ? undefined : { default: RETENTION }),
      },
    };
  }
}

/** Refuses workflows with flow control, because the class that does it is not bound (FLOW1). */
function refuseFlow(workflows: HoldfastOptions["workflows"] = []): void {
  const found = workflows.find(({ flow }) => flowOf(flow) !== undefined);
  if (found === undefined) return;
  throw new Misconfigured(`The workflow ${JSON.stringify(found.id)} has limits. ${MISSING_COORDINATOR}`);
}

/** The limits of the workflows that this Worker executes itself. The dispatcher has checked them (FLOW1). */
function limitsOf(workflows: HoldfastOptions["workflows"] = []): readonly FlowLimit[] {
  return workflows.flatMap(({ id, flow }) => readFlow({ id, ...defined({ flow: flowOf(flow) }) })?.limits ?? []);
}

function dispatcherOf<Env extends object>({
  workflows,
  dispatcher,
}: HoldfastOptions<Env>): (env: Env) => StepDispatcher {
  if ((workflows === undefined) === (dispatcher === undefined)) {
    throw new HoldfastError("INVALID_ARGUMENT", "holdfast: needs either workflows or dispatcher.");
  }
  const fixed = workflows === undefined ? dispatcher : createInlineDispatcher({ workflows });
  return typeof fixed === "function" ? fixed : () => fixed as StepDispatcher;
}

/** When this isolate loaded its code: the time of the version of a self-hosted process that does not set REV. */
const LOADED_AT = Date.now();

/** Returns the time of this version of the Worker, ms since 1970. The clock of Workers is at 0 while code is loaded. */
function revOf({ CF_VERSION_METADATA, REV }: Environment): number {
  return REV ?? (CF_VERSION_METADATA ? Date.parse(CF_VERSION_METADATA.timestamp) : LOADED_AT || Date.now());
}

/** The closed verifier of a deployment by bindings and variables: it has the variables that the message names. */
const closedDeployment = closedVerifier(
  'Set the secret API_TOKENS to a list of tokens: "wrangler secret put API_TOKENS", or the environment variable of a self-hosted process.',
);

function verifierOf({ AUTH, API_TOKENS }: Environment): VerifyRequest | "open" {
  if (AUTH === undefined) return API_TOKENS ?? closedDeployment;
  console.warn(`holdfast: AUTH is ${AUTH}. The API accepts every request.`);
  return "open";
}

function telemetryOf(
  { LOG_EVENTS, OTLP_URL: url, OTLP_HEADERS: headers = {} }: Environment,
  { traceSpans: spansMax }: Limits,
): Telemetry {
  const event = logEvents({ all: LOG_EVENTS === "all" });
  if (url === undefined) return { event };
  return { event, ended: otlpExporter({ url, headers, spansMax }), counted: otlpCounters({ url, headers }) };
}
