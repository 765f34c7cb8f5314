/**
 * The subscribers of a topic (EVT5, EVT7, EVT10).
 *
 * Owns: their rows: how they begin, and how they end.
 */
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import { archiveBack, laterOf, oldestOf, trim } from "./archive.ts";
import type { Subscribe, SubscribeAnswer } from "./messages.ts";
import {
  type DroppedEvents,
  EVENT_PREFIX,
  SUBSCRIBER_PREFIX,
  type SubscriberRow,
  eventKey,
  isEventRow,
  isSubscriberRow,
  subscriberKey,
} from "./rows.ts";
import type { TopicDraft } from "./topic-state.ts";

/** Stores a subscription. The events that it gets are sent by `sending.ts`. */
export function subscribe(draft: TopicDraft, message: Subscribe): SubscribeAnswer {
  const { run, since = 0, allowGap, gapSince, last } = message;
  const key = subscriberKey(run);
  const known = subscriberOf(draft, key);
  if (known !== undefined && known.run.seq >= run.seq) return { type: "subscribed" };
  trim(draft);
  const { header } = draft;
  if (known === undefined && header.subscribers >= HOST_LIMITS.topicSubscribers)
    return { type: "full", max: HOST_LIMITS.topicSubscribers };
  const seen = message.cursor ?? (last === undefined ? 0 : beforeNewest(draft, last));
  const row: SubscriberRow = {
    v: FORMAT_VERSION,
    run,
    cursor: seen,
    since,
    at: draft.now,
    ...(allowGap === true ? { allowGap } : {}),
    ...(gapSince === undefined ? {} : { gapSince }),
  };
  const { dropped } = header;
  const gone = goneSince(row, dropped && { ...dropped, at: laterOf(dropped) });
  if (gone !== undefined && last === undefined) return { type: "history_gone", at: gone };
  draft.put(key, { ...row, cursor: beforeWanted(draft, row) } satisfies SubscriberRow);
  const newest = Math.max(header.last, header.seen ?? 0);
  draft.change({
    ...(seen > newest ? { seen } : {}),
    subscribers: header.subscribers + (known === undefined ? 1 : 0),
    // The answer to a message of an earlier subscription does not count.
    sending: header.sending.filter((one) => one !== key),
    probeAt: header.probeAt ?? draft.now + HOST_LIMITS.topicProbeMs,
    usedAt: draft.now,
  });
  return { type: "subscribed" };
}

/** When the newest event was accepted that a subscriber has not got and that is no longer stored; `undefined`: none. */
export function goneSince(
  { cursor, since, allowGap, gapSince = since }: SubscriberRow,
  dropped: DroppedEvents | undefined,
): number | undefined {
  const isGone = dropped !== undefined && dropped.n > cursor && dropped.at >= gapSince;
  return isGone && allowGap !== true ? dropped.at : undefined;
}

/** Returns the number before the `count` newest events, or fewer where a restored topic has a gap in its numbers. */
function beforeNewest(draft: TopicDraft, count: number): number {
  const { header } = draft;
  return Math.max(header.last - count, (oldestOf(draft)?.n ?? header.last + 1) - 1);
}

/** Returns the number before the first event that a new subscriber gets: a scan does not read those before it again. */
function beforeWanted(draft: TopicDraft, { cursor, since }: SubscriberRow): number {
  const { last } = draft.header;
  const after = Math.max(cursor, (oldestOf(draft)?.n ?? last + 1) - 1);
  for (const [, row] of draft.list(EVENT_PREFIX, { after: eventKey(after) }))
    if (isEventRow(row) && row.event !== undefined && row.event.receivedAt >= since) return row.n - 1;
  return Math.max(cursor, last);
}

export function subscriberOf(draft: TopicDraft, key: string): SubscriberRow | undefined {
  const row = draft.get(key);
  return isSubscriberRow(row) ? row : undefined;
}

export function removeSubscriber(draft: TopicDraft, key: string): void {
  const { subscribers, sending, probeAt } = draft.header;
  draft.delete(key);
  draft.change({
    subscribers: subscribers - 1,
    sending: sending.filter((one) => one !== key),
    probeAt: subscribers === 1 ? undefined : probeAt,
    usedAt: draft.now,
  });
}

/**
 * Moves the timers back with the clock (CO4). A subscriber that got all events of its time keeps getting them: later events
 * have earlier times then. A date in the future stays.
 */
export function clockBack(draft: TopicDraft, ms: number): void {
  const { retryAt, probeAt } = draft.header;
  draft.change({ retryAt: retryAt && retryAt - ms, probeAt: probeAt && probeAt - ms });
  for (const [key, row] of draft.list(SUBSCRIBER_PREFIX)) {
    if (!isSubscriberRow(row) || row.at <= draft.now) continue;
    const since = row.since <= row.at ? Math.min(row.since, draft.now) : row.since;
    draft.put(key, { ...row, since, gapSince: row.gapSince ?? row.since, at: row.at - ms } satisfies SubscriberRow);
  }
  archiveBack(draft, ms);
}
