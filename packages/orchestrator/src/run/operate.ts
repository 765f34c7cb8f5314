/**
 * The actions of an operator on a run.
 *
 * Owns: CAN4 (pause and unpause), CAN5 (retry of a run that the engine paused), CAN6 (after a pause deliveries and timers
 * are applied in the order of their times, and the pause does not count against the time budget). `refusals.ts`
 * says when each is refused.
 */
import { defined } from "@holdfast/protocol";
import { deliverBuffered } from "./deliver.ts";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { continueRunning, pause as pauseRun, unpauseTo, wake } from "./lifecycle.ts";
import { refuseDelete, refusePause, refuseRetry, refuseUnpause } from "./refusals.ts";
import type { RunHeader } from "./state/run-header.ts";
import { causeOf } from "./unwinding.ts";
import { askAgain } from "./step-holds.ts";
import { settleDueWaits } from "./waits.ts";

export function pause(draft: Draft, { by: subject, reason }: Input & { type: "pause" }): Reply {
  const refusal = refusePause(draft);
  if (refusal !== undefined) return refusal;
  pauseRun(draft, undefined, defined({ subject, reason }));
  return { type: "done" };
}

export function unpause(draft: Draft): Reply {
  const { paused } = draft.header;
  const refusal = refuseUnpause(draft);
  if (refusal !== undefined || paused === undefined) return refusal ?? { type: "done" };
  continueRun(draft, paused);
  return { type: "done" };
}

export function retry(draft: Draft): Reply {
  const { paused } = draft.header;
  const refusal = refuseRetry(draft);
  if (refusal !== undefined || paused === undefined) return refusal ?? { type: "done" };
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
  return refuseDelete(draft) ?? { type: "done" };
}

/**
 * Whether no input would ever wake the run. Earlier code journaled the rejection of a child during a pause and woke nobody
 * (VER1), and a promise of the function's own is lost with its execution.
 */
function isStuck({ header: { status, waits, retryAt, stepHolds = [] }, live }: Draft): boolean {
  const waitsForNothing =
    waits.length === 0 && retryAt === undefined && stepHolds.every(({ state }) => state === "free");
  return status === "waiting" && waitsForNothing && !live;
}

/** Continues the run. Deliveries and timers of the pause are applied first. */
function continueRun(draft: Draft, paused: NonNullable<RunHeader["paused"]>): void {
  unpauseTo(draft, paused);
  deliverBuffered(draft);
  settleDueWaits(draft);
  const { status, startAt, admission, undescribed } = draft.header;
  if (status === "running") continueRunning(draft);
  // It was running, or waited for its limits.
  else if (paused.from === "running" || admission !== undefined || isStuck(draft)) wake(draft);
  else if (startAt === undefined ? undescribed !== undefined : startAt <= draft.now) wake(draft);
  else askAgain(draft);
}
