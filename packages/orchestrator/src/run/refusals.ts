/**
 * When the actions of an operator are refused, and with what message.
 *
 * Owns: one function for each action. The action itself and the list of actions call it, so they cannot differ (ACT1). Also
 * the condition under which a run may be deleted (VER3).
 */
import { isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import type { Refusal } from "./draft/inputs.ts";

export function refusePause(draft: Draft): Refusal | undefined {
  const { status, id } = draft.header;
  if (status === "paused") return notApplicable(`Run ${JSON.stringify(id)} is already paused.`);
  return refuseEnded(draft, "pause");
}

export function refuseUnpause(draft: Draft): Refusal | undefined {
  const { status, paused, id, error } = draft.header;
  if (isTerminal(status)) return refuseEnded(draft, "unpause");
  if (paused === undefined) return notApplicable(`Run ${JSON.stringify(id)} is not paused.`);
  if (paused.by === "operator") return undefined;
  return notApplicable(
    `Run ${JSON.stringify(id)} was paused by ${error?.code}, not by an operator. Fix the cause, then retry the run.`,
  );
}

export function refuseRetry(draft: Draft): Refusal | undefined {
  const { status, paused, id } = draft.header;
  if (isTerminal(status)) return refuseEnded(draft, "retry");
  if (paused?.by === "engine") return undefined;
  return notApplicable(
    `Run ${JSON.stringify(id)} was not paused by an error, so it cannot be retried. To continue a paused run, unpause it.`,
  );
}

export function refuseDelete(draft: Draft): Refusal | undefined {
  const { status, id, outbox } = draft.header;
  if (!isTerminal(status)) {
    return {
      type: "refused",
      code: "run_not_ended",
      message: `Run ${JSON.stringify(id)} has not ended (${status}). Cancel it first.`,
    };
  }
  if (outbox.count === 0) return undefined;
  return {
    type: "refused",
    code: "run_not_ended",
    message: `Run ${JSON.stringify(id)} has pending messages to other runs. Try again in a moment.`,
  };
}

/** Refuses an action on a run that has ended. */
export function refuseEnded({ header: { id, status } }: Draft, what: string): Refusal | undefined {
  if (!isTerminal(status)) return undefined;
  return {
    type: "refused",
    code: "run_terminal",
    message: `Run ${JSON.stringify(id)} has ended (${status}); there is nothing to ${what}.`,
  };
}

function notApplicable(message: string): Refusal {
  return { type: "refused", code: "not_applicable", message };
}
