/**
 * The actions of an operator on a run.
 *
 * Owns: CAN4 (pause and unpause), CAN5 (retry of a run that the engine paused), CAN6 (after a pause deliveries and timers
 * are applied in the order of their times, and the pause does not count against the time budget), and the condition
 * under which a run may be deleted (VER3).
 */
import { defined, isTerminal } from "@holdfast/protocol";
import { deliverBuffered } from "./deliver.ts";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { continueRunning, pause as pauseRun, unpauseTo, wake } from "./lifecycle.ts";
import type { RunHeader } from "./run-header.ts";
import { causeOf } from "./unwinding.ts";
import { settleDueWaits } from "./waits.ts";

export function pause(draft: Draft, { by: subject, reason }: Input & { type: "pause" }): Reply {
  const { status, id } = draft.header;
  if (isTerminal(status)) return refuseEnded(draft, "pause");
  if (status === "paused") return notApplicable(`Run ${JSON.stringify(id)} is already paused.`);
  pauseRun(draft, undefined, defined({ subject, reason }));
  return { type: "done" };
}

export function unpause(draft: Draft): Reply {
  const { status, paused, id, error } = draft.header;
  if (isTerminal(status)) return refuseEnded(draft, "unpause");
  if (paused === undefined) return notApplicable(`Run ${JSON.stringify(id)} is not paused.`);
  if (paused.by === "engine") {
    return notApplicable(
      `Run ${JSON.stringify(id)} was paused by ${error?.code}, not by an operator. Fix the cause, then retry the run.`,
    );
  }
  continueRun(draft, paused);
  return { type: "done" };
}

export function retry(draft: Draft): Reply {
  const { status, paused, id } = draft.header;
  if (isTerminal(status)) return refuseEnded(draft, "retry");
  if (paused?.by !== "engine") {
    return notApplicable(
      `Run ${JSON.stringify(id)} was not paused by an error, so it cannot be retried. To continue a paused run, unpause it.`,
    );
  }
  draft.change({
    error: causeOf(draft.header),
    crashes: undefined,
    losses: undefined,
    silent: undefined,
    dispatch: undefined,
  });
  continueRun(draft, paused);
  return { type: "done" };
}

export function mayDelete(draft: Draft): Reply {
  const { status, id, outbox } = draft.header;
  if (!isTerminal(status)) {
    return {
      type: "refused",
      code: "run_not_ended",
      message: `Run ${JSON.stringify(id)} has not ended (${status}). Cancel it first.`,
    };
  }
  if (outbox.count > 0) {
    return {
      type: "refused",
      code: "run_not_ended",
      message: `Run ${JSON.stringify(id)} has pending messages to other runs. Try again in a moment.`,
    };
  }
  return { type: "done" };
}

/** Continues the run. Deliveries and timers of the pause are applied first. */
function continueRun(draft: Draft, paused: NonNullable<RunHeader["paused"]>): void {
  unpauseTo(draft, paused);
  deliverBuffered(draft);
  settleDueWaits(draft);
  if (paused.from === "running") continueRunning(draft);
  else if (draft.header.startAt !== undefined && draft.header.startAt <= draft.now) wake(draft);
}

export function refuseEnded(draft: Draft, what: string): Reply {
  const { id, status } = draft.header;
  return {
    type: "refused",
    code: "run_terminal",
    message: `Run ${JSON.stringify(id)} has ended (${status}); there is nothing to ${what}.`,
  };
}

function notApplicable(message: string): Reply {
  return { type: "refused", code: "not_applicable", message };
}
