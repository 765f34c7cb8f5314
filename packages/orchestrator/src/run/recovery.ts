/**
 * Recovery from lost executions, and from step handlers that cannot be reached.
 *
 * Owns: DUR7 (a run whose executions repeatedly crash without progress is paused), DUR8 (a failure of dispatch is not a
 * failure of the workflow), and DUR11 (an execution that is lost without a crash is replaced, and a body that blocks its
 * process pauses the run).
 */
import { type ErrorValue, LIMITS, describeOperation, errorValue, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { startExecution, pause } from "./lifecycle.ts";
import { type RunHeader, isDeferred } from "./state/run-header.ts";
import { findProgress } from "./state/run-state.ts";
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
  // The host holds no execution any more whose loss it knows: a report of it that is repeated counts once.
  if (header.epoch !== epoch || isTerminal(header.status) || !draft.live) return;
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

/**
 * Handles an execution that gave no sign of life. If this happens again and again during one body, the body probably blocks
 * its process, and the run is paused (DUR11). An execution that never reached its step handler has no bodies: an outage of
 * the handler counts for nothing.
 */
export function executionSilent(draft: Draft, ms: number): void {
  const seconds = Math.round(ms / 1_000);
  const silent = countSilence(draft);
  if (silent === undefined || silent.count < draft.context.limits.silentExecutions) {
    const text = `The execution gave no sign of life for ${seconds} s. Check whether the step handler runs, and whether a body blocks its process.`;
    return executionLost(draft, draft.header.epoch, errorValue("SESSION_LOST", text));
  }
  const { op, count } = silent;
  const error = errorValue(
    "EXECUTION_SILENT",
    `The process of the step handler gave no sign of life for ${seconds} s while the body of ${describeOperation(op)} executed, ${count} times in a row without progress. The body probably blocks the event loop: a long computation, synchronous I/O, an endless loop. Move that work to a worker thread, or await between its parts; then retry the run.`,
  );
  draft.abort({ type: "superseded" });
  pause(draft, { ...error, category: "RUNTIME_ERROR", step: op });
}

/** Counts the silence during a body; `undefined` if no body is known. Another body, or progress, begins a new count. */
function countSilence(draft: Draft): RunHeader["silent"] {
  const ops = (draft.context.inProgress ?? []).map(({ op }) => op);
  const seq = findProgress(draft.state);
  const { silent: before } = draft.header;
  const isSame = before !== undefined && before.seq === seq && ops.includes(before.op);
  const op = isSame ? before.op : ops[0];
  if (op === undefined) return undefined;
  const silent = { seq, op, count: isSame ? before.count + 1 : 1 };
  draft.change({ silent });
  return silent;
}

/** The step handler did not describe the workflow of an undescribed run (L9). */
export function describingFailed(draft: Draft, error: ErrorValue): void {
  if (FINAL.has(error.code)) pause(draft, { ...error, category: "RUNTIME_ERROR" });
  else dispatchLater(draft, error);
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
  const before = isDeferred(header) ? undefined : header.dispatch;
  const since = Math.min(before?.since ?? now, now);
  const failures = (before?.failures ?? 0) + 1;
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
