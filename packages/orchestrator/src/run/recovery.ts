/**
 * Executions that are lost, and executors that cannot be reached.
 *
 * Owns: DUR7 (an executor that dies again and again without progress) and DUR8 (a failure of dispatch is not a failure of the
 * workflow).
 */
import { type ErrorValue, LIMITS, errorValue, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { begin, pause } from "./lifecycle.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";

/**
 * A running run whose execution this host does not hold has lost it, with the process that held it: another is begun,
 * unless executions keep dying at the same place (DUR7) or a later dispatch is due anyway (DUR8).
 */
export function recoverLostExecution(draft: Draft): void {
  const { dispatch, status } = draft.header;
  if (status !== "running" || draft.live || draft.starts || dispatch?.retryAt !== undefined) return;
  beginAnother(draft);
}

/** Begins another execution, unless several in a row died without getting any further (DUR7). */
function beginAnother(draft: Draft): void {
  const { crashes } = draft.header;
  const seq = draft.state.lastSeq;
  const count = crashes !== undefined && crashes.seq === seq ? crashes.count + 1 : 1;
  if (count > draft.context.limits.executorCrashes) {
    const error = errorValue(
      "EXECUTOR_CRASHED",
      `The process that executed this run died ${draft.context.limits.executorCrashes} times in a row after journal entry ${seq} without getting any further. The journal is intact. Find out what kills it (memory, CPU time, an endless loop), then retry the run.`,
    );
    pause(draft, { ...error, category: "RUNTIME_ERROR" });
    return;
  }
  draft.change({ crashes: { seq, count } });
  begin(draft);
}

/** The dispatcher reports a failure: try again with backoff, up to a long bound (DUR8). */
export function executionLost(draft: Draft, epoch: number, error: ErrorValue): void {
  const { header, now } = draft;
  if (header.epoch !== epoch || isTerminal(header.status)) return;
  // Drop the lost execution; a waiting run starts a new one on its next input (DUR5).
  draft.abort({ type: "superseded" });
  if (header.status !== "running") return;
  // Trying again would not help (VER2, DUR8).
  if (error.code === "PROTOCOL_MISMATCH" || error.code === "NEWER_FORMAT" || error.code === "DISPATCH_REFUSED")
    return pause(draft, { ...error, category: "RUNTIME_ERROR" });
  // The step handler answers, only this execution is gone from its memory: another one takes over at once.
  if (error.code === "SESSION_LOST") return beginAnother(draft);
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
