/**
 * What the handlers of a run's object are given.
 *
 * Owns: the shape, and reading the retention of a workflow from it.
 */
import { type Duration, type Limits, type StepDispatcher, parseDurationMs } from "@holdfast/protocol";
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
  /** Where runs live. Without it `ctx.invoke` fails with `CHILDREN_NOT_CONFIGURED`; everything else works. */
  readonly runDO?: DurableObjectNamespaceLike | undefined;
  /** What lists runs: it is told of each change of status. */
  readonly runIndex?: RunIndex | undefined;
  /** How long a run is kept after its end: a duration, by workflow. Without it, until it is deleted. */
  readonly retention?: Retention | undefined;
  /** An R2 bucket: where large payloads of ended runs are kept. Without it they stay in the object. */
  readonly bucket?: BucketLike | undefined;
  /** Who learns what happens: logs, metrics, traces. Without it nobody does. */
  readonly telemetry?: Telemetry | undefined;
  /** `ctx` of the Durable Object: with it a run can be followed by WebSockets that hibernate. */
  readonly sockets?: SocketHostLike | undefined;
  /** The limits of this deployment (`limitsFrom`). Default DEFAULT_LIMITS. */
  readonly limits?: Limits | undefined;
  /** For tests: the time, ms since the epoch. */
  readonly clock?: () => number;
}

/** `default` is for workflows that are not named; `"forever"` keeps. */
export interface Retention {
  readonly default?: Duration | "forever";
  readonly workflows?: Readonly<Record<string, Duration | "forever">>;
}

/** How long an ended run of this workflow is kept, ms; `undefined`: for ever. */
export function retentionMsOf(retention: Retention | undefined, workflowId: string): number | undefined {
  const { workflows } = retention ?? {};
  const named = workflows !== undefined && Object.hasOwn(workflows, workflowId) ? workflows[workflowId] : undefined;
  const kept = named ?? retention?.default;
  return kept === undefined || kept === "forever" ? undefined : parseDurationMs(kept, "retention");
}
