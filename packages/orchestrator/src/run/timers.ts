/**
 * Timers: a delayed start, sleeps and time-outs, retries, the time budget, dispatch, the watchdog.
 *
 * Owns: the rule that each transition first settles the timers that are due, in the order of their times. A delivery after
 * a time-out therefore finds the wait timed out, however late the alarm is (WAIT4).
 */
import { HOST_LIMITS, assert, isTerminal } from "@holdfast/protocol";
import { expire } from "./cancel.ts";
import { settleAdmission } from "./admission.ts";
import { setTimersAgain } from "./clock-back.ts";
import type { Draft } from "./draft/draft.ts";
import { freeOfPaused } from "./holds.ts";
import { settleIndex } from "./index-mark.ts";
import { startExecution, wake } from "./lifecycle.ts";
import { isSilent, untilNextPingMs } from "./draft/liveness.ts";
import { settleOutbox } from "./draft/outbox.ts";
import { executionSilent } from "./recovery.ts";
import { isDeferred } from "./state/run-header.ts";
import { settlePlaces } from "./step-holds.ts";
import { settleDueRetries } from "./steps.ts";
import { settleDescription } from "./undescribed.ts";
import { settleDueWaits } from "./waits.ts";

/** Settles all timers that are due. */
export function settleDueTimers(draft: Draft): void {
  if (draft.isClockLate) setTimersAgain(draft);
  settleOutbox(draft);
  settleIndex(draft);
  const { header, now } = draft;
  if (header.status === "paused") freeOfPaused(draft);
  if (isTerminal(header.status) || header.status === "paused") return;
  settleAdmission(draft);
  settlePlaces(draft);
  if (isTerminal(draft.header.status)) return;
  if (header.startAt !== undefined && header.startAt <= now) wake(draft);
  if (header.undescribed !== undefined) return settleDescription(draft);
  // Waits that were due before the time budget ran out are settled. Later ones are ignored.
  const expired = header.deadlineAt !== undefined && header.deadlineAt <= now;
  settleDueWaits(draft, expired ? header.deadlineAt : now);
  if (expired) return expire(draft);
  settleDueRetries(draft);
  if (isDispatchDue(draft) && !draft.live) startExecution(draft);
  settleWatchdog(draft);
}

/** Whether a dispatch is due that failed or was deferred. A deferred one is due when executions begin again (DUR12). */
function isDispatchDue({ header, now, context }: Draft): boolean {
  const { dispatch } = header;
  if (dispatch?.retryAt === undefined) return false;
  return dispatch.retryAt <= now || (isDeferred(header) && context.deferral === undefined);
}

/**
 * Pings an execution in another process, replaces a silent one (DUR11), and sets the watchdog's next time.
 * `recoverLostExecution` replaces an execution that is not live at the end of the transition.
 */
function settleWatchdog(draft: Draft): void {
  const { header, now } = draft;
  if (!draft.live || header.watchdogAt === undefined || header.watchdogAt > now) return;
  const { silence } = draft.context;
  if (silence !== undefined) {
    if (isSilent(silence)) return executionSilent(draft, silence.ms);
    draft.ping();
    draft.change({ watchdogAt: now + untilNextPingMs(silence) });
    return;
  }
  assert(header.startedAt !== undefined, "a running run has started");
  const waitedMs = Math.max(now - header.startedAt, HOST_LIMITS.watchdogMsMin);
  draft.change({ watchdogAt: now + Math.min(waitedMs * 2, HOST_LIMITS.watchdogMsMax) });
}
