/**
 * Asks the gates of limits before a run is created (L6): of those whose policy is to reject or skip a trigger.
 *
 * Owns: the order of the questions, and that no hold of a run stays that is not created. A release that is lost costs nothing
 * but time: the gate's probe finds no run.
 */
import {
  type AskedFirst,
  type Granted,
  type Plan,
  type PlanRefusal,
  type SendResult,
  type TriggerInput,
  askedFirst,
  readFirstAnswer,
} from "@holdfast/orchestrator";
import { ApiRefusal } from "../refusal.ts";
import { type ObjectBindings, messengerOf } from "./messenger.ts";

/** A trigger after the limits were asked. */
export interface AskedTrigger {
  readonly input: TriggerInput;
  /** Another run holds a limit whose policy is `skip`: this run is not created. */
  readonly skippedFor?: string;
  /** Gives the holds back, because the run was not created. */
  giveBack(): void;
}

/**
 * `plan`: the limits of the new run. Without any nothing is asked.
 * @throws ApiRefusal `limit_full`; `internal_error` if a gate does not answer
 */
export async function askLimits(
  bindings: ObjectBindings,
  trigger: TriggerInput,
  plan: Plan | PlanRefusal | undefined,
  clock: () => number,
): Promise<AskedTrigger> {
  const startedAt = clock();
  const send = messengerOf(bindings, () => trigger.identity.tenantId);
  const holds: AskedFirst[] = [];
  const granted: Record<string, Granted> = {};
  const giveBack = (): void => {
    for (const { to, release } of holds) send(to, release, () => {});
  };
  if (plan === undefined || "code" in plan) return { input: trigger, giveBack };
  for (const asked of askedFirst(trigger, plan, startedAt)) {
    const result = await new Promise<SendResult>((resolve) => send(asked.to, asked.acquire, resolve));
    // A gate that gets no answer of a run frees its hold: a run that is created that late would not hold.
    const isLate = clock() - startedAt > ASK_MS_MAX;
    const answer = result.type === "acknowledged" && !isLate ? readFirstAnswer(asked, result.answer) : NOT_ANSWERED;
    if (answer.type === "granted") {
      holds.push(asked);
      granted[asked.limit] = answer.granted;
      continue;
    }
    giveBack();
    if (answer.type === "skipped") return { input: trigger, skippedFor: answer.holder, giveBack };
    throw answer.type === "full" ? full(answer.message, answer.retryAt, startedAt) : notAnswered(asked);
  }
  return { input: { ...trigger, plan, granted }, giveBack };
}

/** How long the gates may take, ms: less than until the first probe of a hold. */
const ASK_MS_MAX = 30_000;

const NOT_ANSWERED = { type: "not answered" } as const;

function full(message: string, retryAt: number | undefined, now: number): ApiRefusal {
  if (retryAt === undefined) return new ApiRefusal("limit_full", message);
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1_000));
  return new ApiRefusal("limit_full", message, { retryAt }, { "Retry-After": String(seconds) });
}

function notAnswered({ limit }: AskedFirst): ApiRefusal {
  const message = `The limit ${JSON.stringify(limit)} did not answer. Nothing was stored. Send the request again.`;
  return new ApiRefusal("internal_error", message);
}
