/**
 * A clock that was set back.
 *
 * Owns: the rule that a timer for a duration is never further away than its duration: it is set again, one duration from
 * now, at the next input of the run (WAIT1). A timer for a date keeps its date.
 */
import { HOST_LIMITS, defined, isTerminal } from "@holdfast/protocol";
import { resendDelayMs } from "../host/outbox.ts";
import type { Draft } from "./draft/draft.ts";
import { askDelayMs } from "./ask-delay.ts";
import { readBuffered } from "./draft/inbox.ts";
import { enqueuedWithin, startWithin } from "./state/hold.ts";
import { replace } from "./holds.ts";
import { dispatchDelayMs } from "./recovery.ts";
import { type OpenWait, type RunHeader, kindOf } from "./state/run-header.ts";
import { placesAgain } from "./step-holds.ts";
import { untilNextRetryMs } from "./steps.ts";
import { DESCRIBE_MS } from "./undescribed.ts";

/** Sets the timers again that are further away than their durations. Called if the clock is before a stored time. */
export function setTimersAgain(draft: Draft): void {
  const { header, now } = draft;
  const timers = {
    startAt: within(now, header.startAt, header.delayMs),
    // The budget of an ended run counts for nothing (RUN1).
    deadlineAt: isTerminal(header.status) ? header.deadlineAt : within(now, header.deadlineAt, header.timeoutMs),
    watchdogAt: within(now, header.watchdogAt, HOST_LIMITS.watchdogMsMax),
    cleanupBy: within(now, header.cleanupBy, HOST_LIMITS.cleanupWaitMs),
    expiresAt: within(now, header.expiresAt, draft.context.retentionMs),
    retryAt: header.retryAt === undefined ? undefined : within(now, header.retryAt, untilNextRetryMs(draft)),
  };
  const { undescribed } = header;
  const askAt = within(now, undescribed?.askAt, DESCRIBE_MS);
  if (askAt !== undescribed?.askAt) draft.change({ undescribed: { ...undescribed, askAt } });
  admissionAgain(draft);
  placesAgain(draft);
  const changes =
    timers.startAt !== header.startAt ||
    timers.deadlineAt !== header.deadlineAt ||
    timers.expiresAt !== header.expiresAt ||
    timers.watchdogAt !== header.watchdogAt ||
    timers.cleanupBy !== header.cleanupBy ||
    timers.retryAt !== header.retryAt;
  const waits = header.waits.map((wait) => waitAgain(wait, now));
  if (waits.some((wait, place) => wait !== header.waits[place])) draft.change({ waits });
  bufferedAgain(draft);
  const messages = messagesAgain(header, now);
  if (changes || Object.keys(messages).length > 0) draft.change({ ...timers, ...messages });
}

/** The timers of a run that waits for its limits. A start that a rate has reserved keeps its distance. */
function admissionAgain(draft: Draft): void {
  const { now } = draft;
  const { admission, holds = [] } = draft.header;
  const timeoutAt = within(now, admission?.timeoutAt, admission?.timeoutMs);
  if (admission !== undefined && timeoutAt !== undefined && timeoutAt !== admission.timeoutAt)
    draft.change({ admission: { ...admission, timeoutAt } });
  for (const hold of holds) {
    const askAt = within(now, hold.askAt, askDelayMs(hold.asks ?? 1));
    const startAt = startWithin(hold, draft);
    const enqueuedAt = enqueuedWithin(hold, now);
    if (askAt !== hold.askAt || startAt !== hold.startAt || enqueuedAt !== hold.enqueuedAt)
      replace(draft, hold, defined({ ...hold, askAt, startAt, enqueuedAt }));
  }
}

/** What was buffered during a pause arrived before now, so before each time-out that is set again (CAN6, WAIT4). */
function bufferedAgain(draft: Draft): void {
  if (draft.header.status !== "paused") return;
  for (const key of draft.state.inbox.keys()) {
    const row = readBuffered(draft, key);
    if (row.at > draft.now) draft.put(key, { ...row, at: draft.now });
  }
}

function waitAgain(wait: OpenWait, now: number): OpenWait {
  const wakeAt = within(now, wait.wakeAt, durationOf(wait));
  const topic = topicAgain(wait, now);
  return wakeAt === wait.wakeAt && topic === wait.topic ? wait : defined({ ...wait, wakeAt, topic });
}

/** A wait for events that came after an earlier time takes those of now, too. A date in the future stays (EVT5). */
function topicAgain({ topic, openedAt }: OpenWait, now: number): OpenWait["topic"] {
  return topic === undefined || topic.since <= now || topic.since > openedAt ? topic : { ...topic, since: now };
}

/** The duration of a wait; `undefined`: it ends at a date. Earlier code stored it only of time-outs. */
function durationOf({ afterMs, wakeAt, openedAt, ...wait }: OpenWait): number | undefined {
  if (afterMs !== undefined || wakeAt === undefined) return afterMs;
  return kindOf({ openedAt, ...wait }) === "sleep" ? undefined : wakeAt - openedAt;
}

/** The outbox, the index and the dispatch, whose delays follow from their failures. */
function messagesAgain(
  { outbox, index, dispatch, seed }: RunHeader,
  now: number,
): Pick<Partial<RunHeader>, "outbox" | "index" | "dispatch"> {
  const outboxAt = within(now, outbox.retryAt, resendDelayMs(outbox.failures));
  const pending = index?.owed;
  const indexAt =
    pending && within(now, pending.retryAt, resendDelayMs(pending.failures, HOST_LIMITS.indexResendMsMax));
  const dispatchMs =
    dispatch?.failures === 0 ? HOST_LIMITS.heldAlarmMs : dispatchDelayMs(seed, dispatch?.failures ?? 1);
  const dispatchAt = within(now, dispatch?.retryAt, dispatchMs);
  return {
    ...(outboxAt === undefined || outboxAt === outbox.retryAt ? {} : { outbox: { ...outbox, retryAt: outboxAt } }),
    ...(index === undefined || pending === undefined || indexAt === undefined || indexAt === pending.retryAt
      ? {}
      : { index: { ...index, owed: { ...pending, since: Math.min(pending.since, now), retryAt: indexAt } } }),
    ...(dispatch === undefined || dispatchAt === undefined || dispatchAt === dispatch.retryAt
      ? {}
      : { dispatch: { ...dispatch, since: Math.min(dispatch.since, now), retryAt: dispatchAt } }),
  };
}

/** The earlier of the time of a timer and one duration from now. */
function within(now: number, at: number | undefined, durationMs: number | undefined): number | undefined {
  return at === undefined || durationMs === undefined ? at : Math.min(at, now + durationMs);
}
