/**
 * The dependencies of the handlers of a run's object.
 *
 * Owns: their type, their schema, and the lookup of a workflow's retention.
 */
import { type Duration, type Limits, type StepDispatcher, parseDurationMs } from "@holdfast/protocol";
import * as v from "valibot";
import { URL_KEYS } from "../auth/url-keys.ts";
import { FIELDS, LIMITS_SCHEMA, depsCheck, isFunction, withMethods } from "../options.ts";
import type {
  BucketLike,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  SocketHostLike,
} from "../platform-types.ts";
import type { RunIndex } from "../index-object/run-index.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

export interface RunObjectDeps {
  /** `ctx.storage` of an SQLite-backed Durable Object. */
  readonly storage: DurableObjectStorageLike;
  readonly dispatcher: StepDispatcher;
  /** The binding of the run's Durable Object class. Without it `ctx.invoke` fails with `CHILDREN_NOT_CONFIGURED`. */
  readonly runDO?: DurableObjectNamespaceLike | undefined;
  /** The binding of the class of coordinators. Without it no workflow has limits, schedules or events. */
  readonly coordinatorDO?: DurableObjectNamespaceLike | undefined;
  /** The time of this version of the Worker, ms since 1970: its declarations replace those of earlier versions. Default 0. */
  readonly rev?: number | undefined;
  /** The index of runs. It gets each change of status. */
  readonly runIndex?: RunIndex | undefined;
  /** The keys of public URLs: those of `WorkerDeps.urlKeys`. Default: one key, which `runIndex` stores. */
  readonly urlKeys?: readonly string[] | undefined;
  /** The time from the end of a run to its deletion, by workflow. Without it, runs are deleted only by a request. */
  readonly retention?: Retention | undefined;
  /** An R2 bucket for large payloads of ended runs. Without it they stay in the object. */
  readonly bucket?: BucketLike | undefined;
  /** Callbacks for logs, metrics and traces. Without it no event is reported. */
  readonly telemetry?: Telemetry | undefined;
  /** `ctx` of the Durable Object. With it, readers can follow a run by WebSockets that hibernate. */
  readonly sockets?: SocketHostLike | undefined;
  /** The limits of this deployment (`limitsFrom`). Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
  /** Holds the deployment: no execution begins, and alarms do nothing (DUR12). Default `false`. */
  readonly hold?: boolean | undefined;
  /** How many runs of an isolate may execute when an alarm begins another one (DUR13). Default: no limit. */
  readonly executionsMax?: number | undefined;
  /** For tests: the time, ms since the epoch. */
  readonly clock?: () => number;
}

/** `default` applies to workflows that `workflows` does not name. `"forever"`: no deletion. */
export interface Retention {
  readonly default?: Duration | "forever";
  readonly workflows?: Readonly<Record<string, Duration | "forever">>;
}

const RUN_OBJECT_DEPS = v.strictObject({
  storage: withMethods<DurableObjectStorageLike>("transactionSync", "getAlarm", "setAlarm", "deleteAlarm", "deleteAll"),
  dispatcher: FIELDS.dispatcher,
  runDO: v.optional(FIELDS.namespace),
  coordinatorDO: v.optional(FIELDS.namespace),
  rev: v.optional(FIELDS.rev),
  runIndex: v.optional(FIELDS.runIndex),
  urlKeys: v.optional(URL_KEYS),
  retention: v.optional(FIELDS.retention),
  bucket: v.optional(FIELDS.bucket),
  telemetry: v.optional(FIELDS.telemetry),
  sockets: v.optional(withMethods<SocketHostLike>("acceptWebSocket", "getWebSockets")),
  limits: v.optional(LIMITS_SCHEMA),
  hold: v.optional(FIELDS.hold),
  executionsMax: v.optional(FIELDS.executionsMax),
  clock: v.optional(isFunction),
} satisfies Record<keyof RunObjectDeps, v.GenericSchema>);

/** @throws Misconfigured */
export const checkRunObjectDeps: (deps: RunObjectDeps) => void = depsCheck(RUN_OBJECT_DEPS, "deps");

/** Returns the retention of an ended run of this workflow, ms; `undefined`: no deletion. */
export function retentionMsOf(retention: Retention | undefined, workflowId: string): number | undefined {
  const { workflows } = retention ?? {};
  const named = workflows !== undefined && Object.hasOwn(workflows, workflowId) ? workflows[workflowId] : undefined;
  const duration = named ?? retention?.default;
  return duration === undefined || duration === "forever" ? undefined : parseDurationMs(duration, "retention");
}
