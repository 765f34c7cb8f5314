/**
 * Triggers of workflows with debounce or batch (WIN1).
 *
 * Owns: which window collects a trigger, and the refusal of one for which no run could start.
 */
import { type Address, HoldfastError, type WorkflowDescription } from "@holdfast/protocol";
import { type PlanRefusal, type WindowSettings, listOf, planHolds, planWindow } from "../flow/plan.ts";
import type { ChildTrigger } from "../run/state/messages.ts";
import { type Collect, windowAddress } from "./messages.ts";

/** A trigger for a window. */
export interface PlannedCollect {
  readonly to: Address;
  readonly message: Collect;
}

/** `invalid_body`: a list cannot hold the input. */
export type CollectRefusal = PlanRefusal | { readonly code: "invalid_body"; readonly message: string };

/** Returns the message to the window of a trigger; `undefined`: each trigger starts a run. */
export function planCollect(
  workflow: WorkflowDescription,
  trigger: ChildTrigger,
): PlannedCollect | CollectRefusal | undefined {
  const { input, idempotencyKey, workflowId } = trigger;
  const plan = planWindow(workflow, input);
  if (plan === undefined || "code" in plan) return plan;
  const { key, settings } = plan;
  return (
    refusalOfRun(workflow, input, settings) ?? {
      to: windowAddress(workflowId, key),
      message: {
        type: "collect",
        trigger,
        ...(idempotencyKey === undefined ? {} : { deliveryId: idempotencyKey }),
        settings,
      },
    }
  );
}

/** Refuses a trigger for which no run could start: later nobody waits for the answer (WIN5). */
function refusalOfRun(
  workflow: WorkflowDescription,
  input: string,
  { type }: WindowSettings,
): CollectRefusal | undefined {
  try {
    // The input of a batch of one.
    const given = type === "batch" ? listOf(input) : input;
    const plan = planHolds(workflow, given, true, 0);
    if (plan === undefined || !("code" in plan)) return undefined;
    const why = type === "batch" ? " The input of the run is the list of the inputs of the batch." : "";
    return { code: plan.code, message: plan.message + why };
  } catch (error) {
    if (error instanceof HoldfastError) return { code: "invalid_body", message: error.message };
    throw error;
  }
}
