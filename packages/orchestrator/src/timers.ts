/**
 * What falls due with time: a delayed start, sleeps and time-outs, retries, the time budget, dispatch, the watchdog.
 *
 * Owns: the rule that due timers are settled before anything else in every transition, in the order of their time, so
 * that a delivery that comes after a time-out finds it timed out, however late the alarm is (WAIT4).
 */
import { ENCODED_UNDEFINED, LIMITS, isTerminal } from "@holdfast/protocol";
import { expire } from "./cancel.ts";
import type { Draft } from "./draft.ts";
import { settleIndex } from "./index-mark.ts";
import type { OpenWait } from "./run-header.ts";
import { knowOperations } from "./run-state.ts";

/** How long a message stays unacknowledged before it is sent again. */
const OUTBOX_RETRY_MS = 15_000;

/** Settles all that is due by now. */
export function settleDueTimers(draft: Draft): void {
  settleOutbox(draft);
  settleIndex(draft);
  const { header, now } = draft;
  if (isTerminal(header.status) || header.status === "paused") return;
  if (header.startAt !== undefined && header.startAt <= now) draft.wake();
  // What was due before the time budget ran out comes first, what was due behind it no longer counts.
  const expired = header.deadlineAt !== undefined && header.deadlineAt <= now;
  settleDueWaits(draft, expired ? header.deadlineAt : now);
  if (expired) return expire(draft);
  settleDueRetries(draft);
  if ((header.dispatch?.retryAt ?? Infinity) <= now && !draft.live) draft.begin();
  settleWatchdog(draft);
}

/** Messages that are owed are sent again, and the time for the next try is set (CHILD4). */
function settleOutbox(draft: Draft): void {
  const { outbox } = draft.header;
  if (outbox.retryAt === undefined || outbox.retryAt > draft.now) return;
  draft.change({ outbox: { ...outbox, retryAt: draft.now + OUTBOX_RETRY_MS } });
  draft.sendOutbox();
}

/** Ends the waits that are due by `until`, in the order of their time. */
export function settleDueWaits(draft: Draft, until: number = draft.now): void {
  const { waits } = draft.header;
  const due = waits.filter((wait) => wait.wakeAt !== undefined && wait.wakeAt <= until);
  if (due.length === 0) return;
  due.sort((a, b) => (a.wakeAt as number) - (b.wakeAt as number));
  draft.change({ waits: waits.filter((wait) => !due.includes(wait)) });
  for (const wait of due) endWait(draft, wait);
  draft.wake();
}

function endWait(draft: Draft, wait: OpenWait): void {
  if (wait.kind === "DATETIME") {
    draft.append({ type: "wait.resolved", op: wait.op, value: ENCODED_UNDEFINED }, wait.nth, true);
    return;
  }
  draft.append({ type: "wait.timed_out", op: wait.op }, wait.nth, true);
  if (wait.tokenId === undefined) return;
  draft.closeToken(wait.tokenId, "timed_out");
}

/** The execution starts the attempts whose time has come; here only the next time is found. */
function settleDueRetries(draft: Draft): void {
  const { header, now, state } = draft;
  if (header.retryAt === undefined || header.retryAt > now) return;
  const later = [...knowOperations(state).values()].flatMap(({ retryAt, ended }) =>
    !ended && retryAt !== undefined && retryAt > now ? [retryAt] : [],
  );
  draft.change({ retryAt: later.length === 0 ? undefined : Math.min(...later), retriedAt: now });
  draft.wake();
}

/** Looks after the running execution again later. A lost one is replaced at the end of the transition. */
function settleWatchdog(draft: Draft): void {
  const { header, now } = draft;
  if (!draft.live || header.watchdogAt === undefined || header.watchdogAt > now) return;
  const waitedMs = Math.max(now - (header.startedAt as number), LIMITS.watchdogMsMin);
  draft.change({ watchdogAt: now + Math.min(waitedMs * 2, LIMITS.watchdogMsMax) });
}
