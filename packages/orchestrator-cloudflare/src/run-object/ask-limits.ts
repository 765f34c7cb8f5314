/**
 * Asks the gates of limits before a run is created (L6): of those whose policy is to reject or skip a trigger.
 *
 * Owns: the refusals of the API.
 */
import { type AskedTrigger, type Plan, type PlanRefusal, type TriggerInput, askLimits } from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { type ObjectBindings, messengerOf } from "./messenger.ts";

type Answered = Extract<AskedTrigger, { readonly type: "granted" | "skipped" }> & { readonly giveBack: () => void };

/**
 * `plan`: the limits of the new run. Without any nothing is asked.
 * @throws ApiRefusal `limit_full`; `internal_error` if a gate does not answer
 */
export async function askGates(
  bindings: ObjectBindings,
  trigger: TriggerInput,
  plan: Plan | PlanRefusal | undefined,
  clock: () => number,
): Promise<Answered> {
  const startedAt = clock();
  const send = messengerOf(bindings, () => trigger.identity.tenantId);
  const asked = await new Promise<AskedTrigger & { readonly giveBack: () => void }>((resolve) => {
    askLimits(trigger, plan, { clock, send }, (answer, giveBack) => resolve({ ...answer, giveBack }));
  });
  if (asked.type === "not answered") throw new ApiRefusal("internal_error", asked.message);
  if (asked.type === "full") throw full(asked.message, asked.retryAt, startedAt);
  return asked;
}

function full(message: string, retryAt: number | undefined, now: number): ApiRefusal {
  if (retryAt === undefined) return new ApiRefusal("limit_full", message);
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1_000));
  return new ApiRefusal("limit_full", message, { retryAt }, { "Retry-After": String(seconds) });
}
