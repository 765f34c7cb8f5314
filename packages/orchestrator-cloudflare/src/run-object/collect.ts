/**
 * Triggers of workflows with debounce or batch (WIN1).
 *
 * Owns: the answer to such a trigger: the run that will start, and when. The run does not exist until then.
 */
import {
  type Collect,
  type CollectAnswer,
  type CoordinatorSelf,
  type SendResult,
  type WindowSettings,
  listOf,
  planHolds,
  planWindow,
  windowAddress,
} from "@holdfast/orchestrator";
import { HoldfastError, type WorkflowDescription } from "@holdfast/protocol";
import { ulid } from "ulid";
import { ApiRefusal } from "../refusal.ts";
import type { CommandOf } from "./commands.ts";
import type { RunObjectDeps } from "./deps.ts";
import { askCoordinator } from "./messenger.ts";
import { coordinatorOf } from "./names.ts";
import { noteCollected } from "./not-started.ts";

/**
 * Collects a trigger. `undefined`: its workflow starts a run for each.
 * @throws ApiRefusal `invalid_body` for a chosen id, or an input that a list cannot hold, `limit_key_invalid`, `limits_not_configured`, `body_too_large`
 */
export async function collectTrigger(
  deps: RunObjectDeps,
  { trigger, byKey, chosen }: CommandOf<"trigger">,
  listed: WorkflowDescription | undefined,
): Promise<object | undefined> {
  const { dispatcher, coordinatorDO } = deps;
  const workflow = dispatcher.describe?.(trigger.workflowId, trigger.workflowVersion) ?? listed;
  if (workflow?.flow === undefined || trigger.inherited !== undefined) return undefined;
  const plan = planWindow(workflow, trigger.input);
  if (plan === undefined) return undefined;
  if ("code" in plan) throw new ApiRefusal(plan.code, plan.message);
  if (chosen === true)
    throw new ApiRefusal(
      "invalid_body",
      "runId: the workflow collects triggers, so the run has the id of the first. Send no runId.",
    );
  checkRun(workflow, trigger.input, plan.settings);
  const { tenantId, idempotencyKey, workflowId } = trigger;
  const message: Collect = {
    type: "collect",
    // The object of a key stays that of the key: the run gets an id of its own.
    trigger: byKey ? { ...trigger, runId: ulid() } : trigger,
    ...(idempotencyKey === undefined ? {} : { deliveryId: idempotencyKey }),
    settings: plan.settings,
  };
  const self = coordinatorOf(windowAddress(workflowId, plan.key), tenantId);
  const { runId, count, startsAt } = await send(coordinatorDO, self, message);
  // A repetition of the first trigger writes the row again.
  if (count === 1) await noteCollected(deps, byKey ? undefined : trigger.runId, { runId, window: self });
  const state = plan.settings.type === "batch" ? "batched" : "debounced";
  return { id: runId, status: "pending", state, startsAt, count };
}

/** @throws ApiRefusal `body_too_large`, `limits_not_configured`, `too_many_requests` */
async function send(
  coordinatorDO: RunObjectDeps["coordinatorDO"],
  self: CoordinatorSelf,
  message: Collect,
): Promise<CollectAnswer & { readonly type: "collected" }> {
  const answer = await askCoordinator(coordinatorDO, { self, ask: "message", message });
  if (answer === undefined) throw new ApiRefusal("limits_not_configured", NO_CLASS);
  const result = answer.ok ? ((await answer.json()) as SendResult<CollectAnswer>) : undefined;
  if (result?.type !== "acknowledged" || result.answer === undefined)
    throw new ApiRefusal(
      "internal_error",
      "The object that collects the triggers failed. Nothing was stored. Try again.",
    );
  if (result.answer.type === "collected") return result.answer;
  if (result.answer.type === "full")
    throw new ApiRefusal(
      "too_many_requests",
      `The window remembers ${result.answer.max} idempotency keys, which is the limit. Nothing was stored. Try again later, or send no key.`,
    );
  throw new ApiRefusal(
    "body_too_large",
    `The input is larger than a batch may be: ${result.answer.maxBytes} bytes. The batch is unchanged.`,
  );
}

/** Refuses a trigger for which no run could start: later nobody waits for the answer (WIN5). */
function checkRun(workflow: WorkflowDescription, input: string, { type }: WindowSettings): void {
  const plan = planHolds(workflow, type === "batch" ? listFor(input) : input, true, 0);
  if (plan === undefined || !("code" in plan)) return;
  const why = type === "batch" ? " The input of the run is the list of the inputs of the batch." : "";
  throw new ApiRefusal(plan.code, plan.message + why);
}

function listFor(input: string): string {
  try {
    return listOf(input);
  } catch (error) {
    if (error instanceof HoldfastError) throw new ApiRefusal("invalid_body", error.message);
    throw error;
  }
}

const NO_CLASS =
  "The workflow collects triggers, and this deployment has no objects for that. Bind the class CoordinatorDO as COORDINATOR_DO.";
