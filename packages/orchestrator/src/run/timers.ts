/**
 * What falls due with time: a delayed start, sleeps and time-outs, retries, the time budget, dispatch, the watchdog.
 *
 * Owns: the rule that due timers are settled before anything else in every transition, in the order of their time, so
 * that a delivery that comes after a time-out finds it timed out, however late the alarm is (WAIT4).
 */
import { LIMITS, assert, isTerminal } from "@holdfast/protocol";
import { expire } from "./cancel.ts";
import type { Draft } from "./draft.ts";
import { settleIndex } from "./index-mark.ts";
import { begin, wake } from "./lifecycle.ts";
import { settleOutbox } from "./outbox.ts";
import { settleDueRetries } from "./steps.ts";
import { settleDueWaits } from "./waits.ts";

/** Settles all that is due by now. */
export function settleDueTimers(draft: Draft): void {
  settleOutbox(draft);
  settleIndex(draft);
  const { header, now } = draft;
  if (isTerminal(header.status) || header.status === "paused") return;
  if (header.startAt !== undefined && header.startAt <= now) wake(draft);
  // What was due before the time budget ran out comes first, what was due after that no longer counts.
  const expired = header.deadlineAt !== undefined && header.deadlineAt <= now;
  settleDueWaits(draft, expired ? header.deadlineAt : now);
  if (expired) return expire(draft);
  settleDueRetries(draft);
  if ((header.dispatch?.retryAt ?? Infinity) <= now && !draft.live) begin(draft);
  settleWatchdog(draft);
}

/** Looks after the running execution again later. A lost one is replaced at the end of the transition. */
function settleWatchdog(draft: Draft): void {
  const { header, now } = draft;
  if (!draft.live || header.watchdogAt === undefined || header.watchdogAt > now) return;
  assert(header.startedAt !== undefined, "a running run has started");
  const waitedMs = Math.max(now - header.startedAt, LIMITS.watchdogMsMin);
  draft.change({ watchdogAt: now + Math.min(waitedMs * 2, LIMITS.watchdogMsMax) });
}
