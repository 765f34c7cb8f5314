/**
 * The dependencies of the object of a coordinator.
 */
import type { CoordinatorMachine } from "@holdfast/orchestrator";
import type { StepDispatcher } from "@holdfast/protocol";
import type { DurableObjectStorageLike } from "../platform-types.ts";
import type { ObjectBindings } from "../run-object/messenger.ts";

export interface CoordinatorObjectDeps extends ObjectBindings {
  /** `ctx.storage` of an SQLite-backed Durable Object. */
  readonly storage: DurableObjectStorageLike;
  /** The workflow code, whose declarations decide what events do. Without it an event starts no runs. */
  readonly dispatcher?: StepDispatcher | undefined;
  /** Holds the deployment: alarms do nothing (DUR12). Default `false`. */
  readonly hold?: boolean | undefined;
  /** For tests: the kinds. */
  readonly kinds?: readonly CoordinatorMachine[];
  /** For tests: the time, ms since 1970. */
  readonly clock?: () => number;
}
