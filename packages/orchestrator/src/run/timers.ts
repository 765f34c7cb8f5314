/**
 * Timers: a delayed start, sleeps and time-outs, retries, the time budget, dispatch, the watchdog.
 *
 * Owns: the rule that each transition first settles the timers that are due, in the order of their times. A delivery after
 * a time-out therefore finds the wait timed out, however late the alarm is (WAIT4).
 */
import { HOST_LIMITS, assert, isTerminal } from "@holdfast/protocol";
import { expire } from "./cancel.ts";
import type { Draft } from "./draft.ts";
import { settleIndex } from "./index-mark.ts";
import { startExecution, wake } from "./lifecycle.ts";
import { settleOutbox } from "./outbox.ts";
import { settleDueRetries } from "./steps.ts";
import { settleDueWaits } from "./waits.ts";

/** Settles all timers that are due. */
export function settleDueTimers(draft: Draft): void {
  settleOutbox(draft);
  settleIndex(draft);
  const { header, now } = draft;
  if (isTerminal(header.status) || header.status === "paused") return;
  if (header.startAt !== undefined && header.startAt <= now) wake(draft);
  // Waits that were due before the time budget ran out are settled. Later ones are ignored.
  const expired = header.deadlineAt !== undefined && header.deadlineAt <= now;
  settleDueWaits(draft, expired ? header.deadlineAt : now);
  if (expired) return expire(draft);
  settleDueRetries(draft);
  if ((header.dispatch?.retryAt ?? Infinity) <= now && !draft.live) startExecution(draft);
  settleWatchdog(draft);
}

/** Sets the watchdog's next time. `recoverLostExecution` replaces a lost execution at the end of the transition. */
function settleWatchdog(draft: Draft): void {
  const { header, now } = draft;
  if (!draft.live || header.watchdogAt === undefined || header.watchdogAt > now) return;
  assert(header.startedAt !== undefined, "a running run has started");
  const waitedMs = Math.max(now - header.startedAt, HOST_LIMITS.watchdogMsMin);
  draft.change({ watchdogAt: now + Math.min(waitedMs * 2, HOST_LIMITS.watchdogMsMax) });
}
