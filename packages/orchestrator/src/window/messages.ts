/**
 * The messages to a window: the object that collects the triggers of a workflow with debounce or batch, for one key.
 *
 * Owns: their forms, and the name of a window. Later versions only add optional fields (VER1).
 */
import type { Address } from "@holdfast/protocol";
import type { WindowSettings } from "../flow/plan.ts";
import type { ChildTrigger } from "../run/state/messages.ts";

/** A trigger. `deliveryId`: a trigger with the same one is the same trigger. */
export interface Collect {
  readonly type: "collect";
  readonly trigger: ChildTrigger;
  readonly deliveryId?: string | undefined;
  readonly settings: WindowSettings;
}

export type CollectAnswer =
  /** `runId`: the run that starts at `startsAt`, ms since 1970. `count`: the triggers that it stands for so far. */
  | { readonly type: "collected"; readonly runId: string; readonly startsAt: number; readonly count: number }
  /** The window remembers as many delivery ids as it stores. Nothing was stored. */
  | { readonly type: "full"; readonly max: number }
  /** The input alone is larger than a batch may be. Nothing was stored. */
  | { readonly type: "too_large"; readonly maxBytes: number };

/** The address of a window. Names of workflows have no control characters. */
export function windowAddress(workflowId: string, key: string | undefined): Address {
  return { kind: "window", name: key === undefined ? workflowId : `${workflowId}\u0002${key}` };
}
