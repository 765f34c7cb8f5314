/**
 * Recovery from lost executions, and from step handlers that cannot be reached.
 *
 * Owns: DUR7 (a run whose executions are repeatedly lost without progress is paused) and DUR8 (a failure of dispatch is
 * not a failure of the workflow).
 */
import { type ErrorValue, LIMITS, errorValue, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { startExecution, pause } from "./lifecycle.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";

/**
 * Starts another execution of a running run that has no live one, because the process with it has died. Exceptions: a
 * dispatch is due later (DUR8), or too many executions were lost after the same entry (DUR7).
 */
export function recoverLostExecution(draft: Draft): void {
  const { dispatch, status } = draft.header;
  if (status !== "running" || draft.live || draft.starts || dispatch?.retryAt !== undefined) return;
  startAnother(draft);
}

/** Starts another execution, or pauses the run if too many were lost in a row without a new entry (DUR7). */
function startAnother(draft: Draft): void {
  const { crashes } = draft.header;
  const seq = draft.state.lastSeq;
  const count = crashes !== undefined && crashes.seq === seq ? crashes.count + 1 : 1;
  if (count > draft.context.limits.executorCrashes) {
    const error = errorValue(
      "EXECUTOR_CRASHED",
      `The process that executed this run died more than ${draft.context.limits.executorCrashes} times in a row after journal entry ${seq} without progress. The journal is intact. Find the cause (memory, CPU time, an endless loop), then retry the run.`,
    );
    pause(draft, { ...error, category: "RUNTIME_ERROR" });
    return;
  }
  draft.change({ crashes: { seq, count } });
  startExecution(draft);
}

/** Handles a failure that the dispatcher reports: dispatches again with backoff, up to a time limit (DUR8). */
export function executionLost(draft: Draft, epoch: number, error: ErrorValue): void {
  const { header, now } = draft;
  if (header.epoch !== epoch || isTerminal(header.status)) return;
  // Drop the lost execution; a waiting run starts a new one on its next input (DUR5).
  draft.abort({ type: "superseded" });
  if (header.status !== "running") return;
  // A repetition would fail in the same way (VER2, DUR8).
  if (error.code === "PROTOCOL_MISMATCH" || error.code === "NEWER_FORMAT" || error.code === "DISPATCH_REFUSED")
    return pause(draft, { ...error, category: "RUNTIME_ERROR" });
  // The step handler is reachable and has only lost this execution: start another one at once.
  if (error.code === "SESSION_LOST") return startAnother(draft);
  const since = header.dispatch?.since ?? now;
  const failures = (header.dispatch?.failures ?? 0) + 1;
  if (now - since > draft.context.limits.dispatchRetryMs) {
    const failure = errorValue(
      "DISPATCH_FAILED",
      `The step handler could not be reached for ${Math.round((now - since) / 60_000)} minutes: ${error.message}`,
    );
    pause(draft, { ...failure, category: "RUNTIME_ERROR" });
    return;
  }
  const policy = { max: Infinity, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 } as const;
  const delayMs = computeBackoffDelayMs(policy, failures, `${header.seed}/dispatch`);
  draft.change({
    dispatch: { since, failures, retryAt: now + delayMs, message: error.message.slice(0, LIMITS.errorMessageChars) },
    watchdogAt: undefined,
  });
}
