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
  planCollect,
} from "@holdfast/orchestrator";
import type { WorkflowDescription } from "@holdfast/protocol";
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
  // The object of a key stays that of the key: the run gets an id of its own.
  const plan = planCollect(workflow, byKey ? { ...trigger, runId: ulid() } : trigger);
  if (plan === undefined) return undefined;
  if ("code" in plan) throw new ApiRefusal(plan.code, plan.message);
  if (chosen === true)
    throw new ApiRefusal(
      "invalid_body",
      "runId: the workflow collects triggers, so the run has the id of the first. Send no runId.",
    );
  const { to, message } = plan;
  const self = coordinatorOf(to, trigger.tenantId);
  const { runId, count, startsAt } = await send(coordinatorDO, self, message);
  // A repetition of the first trigger writes the row again.
  if (count === 1) await noteCollected(deps, byKey ? undefined : trigger.runId, { runId, window: self });
  const state = message.settings.type === "batch" ? "batched" : "debounced";
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

const NO_CLASS =
  "The workflow collects triggers, and this deployment has no objects for that. Bind the class CoordinatorDO as COORDINATOR_DO.";
