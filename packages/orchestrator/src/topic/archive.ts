/**
 * The archive of a topic (EVT4): its newest events, and the ids of some before them.
 *
 * Owns: the numbers of events, and the bounds: `keep`, `topicEvents` and `topicChars`.
 *
 * Invariants
 * - AR1 The rows of events are in the order of their numbers: first those with an id alone, then those with their data.
 */
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import type { Append } from "./messages.ts";
import { type DroppedEvents, EVENT_PREFIX, type EventRow, eventKey, isEventRow } from "./rows.ts";
import type { TopicDraft } from "./topic-state.ts";

/** Appends an event, and returns its number. A repeated event keeps its number, and changes nothing (TP1). */
export function append(draft: TopicDraft, { event, keepMs }: Append): number {
  const known = draft.state.ids.get(event.id);
  if (known !== undefined) return known;
  const { header } = draft;
  // After an erasure, numbers are higher than before: a topic gets less than an event in each millisecond of its life.
  const n = Math.max(header.last === 0 ? draft.now : header.last, header.seen ?? 0) + 1;
  const row: EventRow = { v: FORMAT_VERSION, n, id: event.id, at: draft.now, event };
  draft.put(eventKey(n), row);
  draft.change({
    last: n,
    keepMs,
    events: header.events + 1,
    chars: header.chars + event.data.length,
    oldest: header.oldest ?? { n, at: draft.now },
    usedAt: draft.now,
  });
  trim(draft);
  return n;
}

/** Drops what is beyond the bounds, the oldest first. */
export function trim(draft: TopicDraft): void {
  const oldest = oldestOf(draft);
  if (oldest !== undefined && isBeyond(draft)) {
    for (const [, row] of draft.list(EVENT_PREFIX, { after: eventKey(oldest.n - 1) })) {
      if (!isEventRow(row)) continue;
      draft.change({ oldest: { n: row.n, at: timeOf(draft, row.n, row.at) } });
      if (!isBeyond(draft)) break;
      drop(draft, row);
    }
    if (draft.header.events === 0) draft.change({ oldest: undefined });
  }
  trimIds(draft);
}

/** A time of an event, ms since 1970: at most that at which the clock was set back after the event came. */
function timeOf({ header: { setBack } }: TopicDraft, n: number, at: number): number {
  return setBack !== undefined && n <= setBack.n ? Math.min(at, setBack.at) : at;
}

/** After the clock was set back by `ms`, an event is stored at most as long as at first (CO4). */
export function archiveBack(draft: TopicDraft, ms: number): void {
  const { last, dropped, idsUntil, oldest, usedAt, setBack } = draft.header;
  const { now } = draft;
  draft.change({
    setBack: { n: last, at: now, from: Math.max(now + ms, setBack?.from ?? 0) },
    oldest: oldest && { n: oldest.n, at: Math.min(oldest.at, now) },
    idsUntil: idsUntil && Math.min(idsUntil, now + HOST_LIMITS.eventTargetMs),
    dropped: dropped && (laterOf(dropped) > now ? { ...dropped, later: laterOf(dropped) - ms } : dropped),
    usedAt: Math.min(usedAt, now),
  });
}

/** When the newest dropped event came, for a subscription that begins now. */
export function laterOf({ at, later = at }: DroppedEvents): number {
  return later;
}

export function oldestOf({ header }: TopicDraft): { readonly n: number; readonly at: number } | undefined {
  return header.events === 0 ? undefined : header.oldest;
}

function isBeyond({ header, now }: TopicDraft): boolean {
  const { events, chars, oldest, keepMs } = header;
  if (events === 0) return false;
  const isLarge = events > 1 && chars > HOST_LIMITS.topicChars;
  return events > HOST_LIMITS.topicEvents || isLarge || (oldest !== undefined && oldest.at + keepMs <= now);
}

const NONE_DROPPED = { n: 0, at: 0, count: 0 } as const;

/** Drops the data of an event. Its id stays as long as its sender may send it again (EVT3). */
function drop(draft: TopicDraft, { event, ...row }: EventRow): void {
  if (event === undefined) return;
  const { header } = draft;
  const until = timeOf(draft, row.n, row.at) + HOST_LIMITS.eventTargetMs;
  const staysKnown = until > draft.now;
  if (staysKnown) draft.put(eventKey(row.n), row satisfies EventRow);
  else draft.delete(eventKey(row.n));
  const { dropped = NONE_DROPPED } = header;
  const at = Math.max(event.receivedAt, dropped.at);
  const later = Math.max(timeOf(draft, row.n, event.receivedAt), laterOf(dropped));
  draft.change({
    events: header.events - 1,
    chars: header.chars - event.data.length,
    dropped: { n: row.n, at, count: dropped.count + 1, ...(later < at ? { later } : {}) },
    ...(staysKnown ? { ids: header.ids + 1, idsUntil: header.idsUntil ?? until } : {}),
  });
}

function trimIds(draft: TopicDraft): void {
  const { ids, idsUntil } = draft.header;
  if (ids <= HOST_LIMITS.topicIds && (idsUntil === undefined || idsUntil > draft.now)) return;
  let left = ids;
  let next: number | undefined;
  for (const [key, row] of draft.list(EVENT_PREFIX)) {
    if (!isEventRow(row) || row.event !== undefined) break;
    next = timeOf(draft, row.n, row.at) + HOST_LIMITS.eventTargetMs;
    if (left <= HOST_LIMITS.topicIds && next > draft.now) break;
    draft.delete(key);
    left -= 1;
    next = undefined;
  }
  draft.change({ ids: left, idsUntil: next });
}
