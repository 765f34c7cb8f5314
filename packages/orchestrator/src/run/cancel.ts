/**
 * Stops of a run: by a cancel, by its time budget, by a limit.
 *
 * Owns: CAN1 (an acknowledged cancel is durable, and later results do not change it), CAN2 (a run that has executed is
 * replayed, so that its clean-up code runs, and ends without that if no executor can be had), RUN6.
 */
import {
  type ErrorValue,
  HOST_LIMITS,
  type OperationId,
  UNWIND,
  assert,
  boundMessage,
  errorValue,
  isTerminal,
  profileOf,
} from "@holdfast/protocol";
import type { Deadlock } from "./draft/deadlock.ts";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { cancelChildren, end, wake } from "./lifecycle.ts";
import { refuseEnded } from "./refusals.ts";
import type { RunError, RunHeader } from "./state/run-header.ts";
import { knowOperations } from "./state/run-state.ts";
import { causeOf, compensationOf, endUnwound, findUncompensated } from "./unwinding.ts";

export function cancel(draft: Draft, input: Input & { type: "cancel" }): Reply {
  const { header } = draft;
  if (!isFrom(header, input.parent)) return { type: "done" };
  const refusal = refuseEnded(draft, "cancel");
  if (refusal !== undefined) return refusal;
  if (header.unwinding !== undefined) {
    // The run already unwinds (CAN7). If its code can no longer do that, a second cancel ends the run without it.
    if (header.paused?.by === "engine") endUncompensated(draft);
    return { type: "done" };
  }
  const { reason } = input;
  const text = reason === undefined ? "The run was cancelled." : `The run was cancelled: ${boundMessage(reason)}`;
  draft.change({ cancelReason: reason });
  stop(draft, "cancel", errorValue("CANCELLED", text));
  return { type: "done" };
}

/** Whether the caller, or the parent that started this run, cancels it. Another run may have had the id before (CHILD3). */
function isFrom({ parent }: RunHeader, by: (Input & { type: "cancel" })["parent"]): boolean {
  return by === undefined || (parent?.runId === by.runId && parent.op === by.op);
}

/** Stops a run whose time budget is used up (RUN6). */
export function expire(draft: Draft): void {
  const text = `The run's time budget of ${draft.header.timeoutMs} ms is used up.`;
  draft.change({ deadlineAt: undefined });
  stop(draft, "timeout", errorValue("WORKFLOW_TIMEOUT", text));
}

/** Stops a run at a limit that no operation of the code can report as its own error (LIM1). */
export function stopAtLimit(draft: Draft, what: string, advice = "Split the work over several runs."): void {
  const text = `${what}, which is the limit. ${advice}`;
  stop(draft, "failure", errorValue("LIMIT_EXCEEDED", text));
}

/** Stops a run that waits for runs which wait for it, if it still wants what they hold (L10). */
export function stopDeadlocked(draft: Draft, { wants, text }: Deadlock): Reply {
  const { status, unwinding, holds = [], stepHolds = [] } = draft.header;
  const isWanted = [...holds, ...stepHolds].some(({ state, seq }) => state === "wanted" && wants.includes(seq));
  if (isTerminal(status) || status === "paused" || unwinding !== undefined || !isWanted) return { type: "done" };
  const advice = "The newest of them ends, so that the others continue.";
  stop(draft, "failure", errorValue("LIMIT_DEADLOCK", boundMessage(`Runs wait for each other: ${text}. ${advice}`)));
  return { type: "done" };
}

/** Ends the run with the list of steps that are not compensated: compensations that failed, and steps without one (COMP3). */
function endUncompensated(draft: Draft): void {
  const { error } = draft.header;
  assert(error !== undefined, "a run that the engine paused has the error for which it did");
  const left = [...stepsToCompensate(draft)].map((op) => ({ op, error }));
  const uncompensated = [...findUncompensated(draft), ...left];
  if (uncompensated.length === 0) return endWithoutCleanup(draft);
  const { cause } = draft.header.unwinding ?? {};
  // No execution continues the clean-up code of a function that was stopped (CAN9).
  const stopped = cause === "cancel" || cause === "timeout" ? ({ cleanup: "not run" } as const) : {};
  end(draft, "compensation_failed", { error: causeOf(draft.header), uncompensated, ...stopped });
  draft.abort({ type: "superseded" });
}

/** Ends a stopped run whose clean-up code no execution has run in time, unless a step must be compensated (CAN2). */
export function settleCleanup(draft: Draft): void {
  const { cleanupBy, paused, status } = draft.header;
  if (cleanupBy === undefined || isTerminal(status) || paused?.by === "operator") return;
  // The engine pauses a run whose code cannot execute.
  if (paused === undefined && cleanupBy > draft.now) return;
  // A step handler without sessions reports nothing before the clean-up code has ended, but gives signs of life. And if this
  // transition had to begin an execution, the orchestrator was away: the time in which an executor could be had is not over.
  if (draft.starts || (draft.live && draft.context.silence?.answered === true)) {
    return draft.change({ cleanupBy: draft.now + HOST_LIMITS.cleanupWaitMs });
  }
  draft.change({ cleanupBy: undefined });
  if (stepsToCompensate(draft).next().done === true) endWithoutCleanup(draft);
}

function endWithoutCleanup(draft: Draft): void {
  endUnwound(draft, { error: causeOf(draft.header), cleanup: "not run" });
  draft.abort({ type: "superseded" });
}

/** Ends the run at once, or starts to unwind it: if it has executed, or a completed step has a compensation. */
function stop(draft: Draft, cause: "cancel" | "timeout" | "failure", value: ErrorValue): void {
  const error: RunError = { ...value, category: "USER_ERROR" };
  const compensates = stepsToCompensate(draft).next().done !== true;
  const { epoch, flags = [] } = draft.header;
  const cleansUp = cause !== "failure" && epoch > 0 && profileOf(flags)?.cleansUp === true;
  const held = draft.context.held === true;
  if (compensates || (cleansUp && !held)) {
    if (draft.header.status === "paused") draft.notifyPaused(false);
    draft.append({ type: "run.unwinding", op: UNWIND, cause, error: value }, 0);
    cancelChildren(draft);
    draft.change({
      unwinding: { cause, error },
      error,
      waits: [],
      races: undefined,
      paused: undefined,
      deadlineAt: undefined,
      cleanupBy: draft.now + HOST_LIMITS.cleanupWaitMs,
    });
    wake(draft);
    return;
  }
  end(draft, cause === "cancel" ? "cancelled" : "failed", { error, ...(cleansUp ? { cleanup: "not run" } : {}) });
  draft.abort({ type: "timed_out", timeoutMs: draft.header.timeoutMs ?? 0 });
}

/** The completed steps that declare a compensation which has no outcome. */
function* stepsToCompensate(draft: Draft): Generator<OperationId, void> {
  if (draft.header.epoch === 0) return;
  const operations = knowOperations(draft.state);
  for (const [op, progress] of operations) {
    if (progress.compensable && operations.get(compensationOf(op))?.ended !== true) yield op;
  }
}
