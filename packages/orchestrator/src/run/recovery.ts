/**
 * Recovery from lost executions, and from step handlers that cannot be reached.
 *
 * Owns: DUR7 (a run whose executions repeatedly crash without progress is paused), DUR8 (a failure of dispatch is not a
 * failure of the workflow), and DUR11 (an execution that is lost without a crash is replaced).
 */
import { type ErrorValue, LIMITS, errorValue, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { startExecution, pause } from "./lifecycle.ts";
import { findProgress } from "./run-state.ts";
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

/** Starts another execution, or pauses the run if too many were lost in a row without progress (DUR7). */
function startAnother(draft: Draft): void {
  if (!countCrash(draft)) return;
  draft.replacesLost();
  startExecution(draft);
}

/** Counts a crash. Returns false if it was one too many: the run is paused then (DUR7). */
function countCrash(draft: Draft): boolean {
  const { crashes } = draft.header;
  const limit = draft.context.limits.executorCrashes;
  const seq = findProgress(draft.state);
  const count = crashes !== undefined && crashes.seq === seq ? crashes.count + 1 : 1;
  if (count >= limit) {
    const error = errorValue(
      "EXECUTOR_CRASHED",
      `The process that executed this run died ${limit} times in a row without progress after journal entry ${seq}. The journal is intact. Find the cause (memory, CPU time, an endless loop), then retry the run.`,
    );
    pause(draft, { ...error, category: "RUNTIME_ERROR" });
    return false;
  }
  draft.change({ crashes: { seq, count } });
  return true;
}

/** A repetition would fail in the same way (VER2, DUR8). */
const FINAL: ReadonlySet<unknown> = new Set(["PROTOCOL_MISMATCH", "NEWER_FORMAT", "DISPATCH_REFUSED"]);
/** The step handler can be reached, and has lost only this execution: its process died, dropped it, or was silent. */
const LOST: ReadonlySet<unknown> = new Set(["EXECUTOR_CRASHED", "SESSION_LOST", "STICKY_ROUTING_REQUIRED"]);

/** Handles a loss that the dispatcher or the watchdog reports. */
export function executionLost(draft: Draft, epoch: number, error: ErrorValue): void {
  const { header } = draft;
  if (header.epoch !== epoch || isTerminal(header.status)) return;
  // Drop the lost execution; a waiting run starts a new one on its next input (DUR5).
  draft.abort({ type: "superseded" });
  if (header.status !== "running") return;
  if (FINAL.has(error.code)) return pause(draft, { ...error, category: "RUNTIME_ERROR" });
  if (error.code === "EXECUTOR_CRASHED" && !countCrash(draft)) return;
  if (!LOST.has(error.code)) return dispatchLater(draft, error);
  const inRow = countLoss(draft, error.code);
  const isMisrouted = error.code === "STICKY_ROUTING_REQUIRED";
  if (isMisrouted && inRow > draft.context.limits.misroutedExecutions)
    return pause(draft, { ...error, category: "RUNTIME_ERROR" });
  // The first replacement starts at once. Further ones without progress wait, so that they harm no neighbour.
  if (inRow === 1 || isMisrouted) return startExecution(draft);
  dispatchLater(draft, error);
}

/** Counts a lost execution. Returns how many were lost in a row for this reason without progress (DUR11). */
function countLoss(draft: Draft, code = ""): number {
  const { losses } = draft.header;
  const seq = findProgress(draft.state);
  const count = losses !== undefined && losses.seq === seq && losses.code === code ? losses.count + 1 : 1;
  draft.change({ losses: { seq, count, code } });
  return count;
}

/** Dispatches again with backoff, up to a time limit (DUR8). */
function dispatchLater(draft: Draft, error: ErrorValue): void {
  const { header, now } = draft;
  const since = Math.min(header.dispatch?.since ?? now, now);
  const failures = (header.dispatch?.failures ?? 0) + 1;
  if (now - since > draft.context.limits.dispatchRetryMs) {
    const failure = errorValue(
      "DISPATCH_FAILED",
      `The step handler could not be reached for ${Math.round((now - since) / 60_000)} minutes: ${error.message}`,
    );
    pause(draft, { ...failure, category: "RUNTIME_ERROR" });
    return;
  }
  const delayMs = dispatchDelayMs(header.seed, failures);
  draft.change({
    dispatch: {
      since,
      failures,
      retryAt: now + delayMs,
      code: error.code ?? "DISPATCH_FAILED",
      message: error.message.slice(0, LIMITS.errorMessageChars),
    },
    watchdogAt: undefined,
  });
}

/** The delay of a dispatch after `failures` failures in a row, ms. */
export function dispatchDelayMs(seed: string, failures: number): number {
  const policy = { max: Infinity, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 } as const;
  return computeBackoffDelayMs(policy, failures, `${seed}/dispatch`);
}
