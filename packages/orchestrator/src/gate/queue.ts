/**
 * The queue of a gate (L4).
 *
 * Owns: the rows of the queue. Within a group the order is that of enqueuing, earlier by the head start of a priority; ties
 * have the order of arrival. Groups take turns in the order in which they arrived. No operation reads more than a few rows,
 * except the position of a run.
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { CoordinatorDraft } from "../host/coordinator.ts";
import type { HoldRef, QueuePlace } from "./messages.ts";
import {
  type GateState,
  type GroupRow,
  QUEUE_PREFIX,
  type QueueRow,
  TURN_PREFIX,
  type TurnRow,
  groupKey,
  groupPrefix,
  isGroupRow,
  isQueueRow,
  isSameHold,
  isTurnRow,
  placePrefix,
  queueKey,
  turnKey,
} from "./rows.ts";

type Draft = CoordinatorDraft<GateState>;

/** How many rows are read to find a position. */
const POSITION_ROWS = 200;

export interface Queued {
  readonly key: string;
  readonly row: QueueRow;
}

/** Adds a row to the queue, and returns its key. */
export function enqueue(draft: Draft, row: QueueRow): string {
  const { arrivals, queued } = draft.header;
  const { group } = row.place;
  if (group !== undefined && draft.get(groupKey(group)) === undefined) takeTurn(draft, group);
  const key = queueKey(placeNow(draft, row.place), arrivals);
  draft.put(key, row);
  draft.change({ arrivals: arrivals + 1, queued: queued + 1 });
  return key;
}

/** Finds a holding in the queue by its place. */
export function findQueued(draft: Draft, hold: HoldRef, place: QueuePlace): Queued | undefined {
  if (draft.header.queued === 0) return undefined;
  for (const ms of setBacks(draft))
    for (const [key, row] of draft.list(placePrefix(later(place, ms))))
      if (isQueueRow(row) && isSameHold(row.hold, hold)) return { key, row };
  return undefined;
}

/** How often the clock may be set back while a run waits and leaves the queue by itself. */
const SET_BACKS = 8;

/** The clock was set back again: runs that come now wait after those that came before it (L4). */
export function setBackBy(draft: Draft, ms: number): readonly number[] | undefined {
  return draft.header.queued === 0
    ? undefined
    : [...setBacks(draft), (setBacks(draft).at(-1) ?? 0) + ms].slice(-SET_BACKS);
}

function setBacks({ header: { setBack = [0] } }: Draft): readonly number[] {
  return setBack;
}

/** The place in the order of arrival. A time after now is from before the clock was set back. */
function placeNow(draft: Draft, place: QueuePlace): QueuePlace {
  const sums = setBacks(draft);
  const now = draft.now + (sums.at(-1) ?? 0);
  return later(place, sums.findLast((ms) => place.enqueuedAt + ms <= now) ?? 0);
}

function later(place: QueuePlace, ms: number): QueuePlace {
  return ms === 0 ? place : { ...place, enqueuedAt: place.enqueuedAt + ms };
}

export function removeQueued(draft: Draft, key: string): void {
  draft.delete(key);
  const { queued, replacer } = draft.header;
  draft.change({
    queued: queued - 1,
    ...(replacer === key ? { replacer: undefined } : {}),
    ...(queued === 1 ? { setBack: undefined } : {}),
  });
}

/** Returns the row that is served next. `undefined`: the queue is empty. */
export function firstQueued(draft: Draft): Queued | undefined {
  if (draft.header.queued === 0) return undefined;
  const ungrouped = firstOf(draft, undefined);
  if (ungrouped !== undefined) return ungrouped;
  for (const [key, row] of draft.list(TURN_PREFIX)) {
    if (!isTurnRow(row)) continue;
    const first = firstOf(draft, row.group);
    if (first !== undefined) return first;
    // Its last run left the queue.
    draft.delete(key);
    draft.delete(groupKey(row.group));
  }
  return undefined;
}

/** Removes the row that is served next, and gives the next turn to the next group. */
export function dequeue(draft: Draft): QueueRow | undefined {
  const first = firstQueued(draft);
  if (first === undefined) return undefined;
  removeQueued(draft, first.key);
  const { group } = first.row.place;
  if (group !== undefined) {
    const known = draft.get(groupKey(group));
    if (isGroupRow(known)) draft.delete(turnKey(known.turn));
    if (firstOf(draft, group) === undefined) draft.delete(groupKey(group));
    else takeTurn(draft, group);
  }
  return first.row;
}

/** The position of a row from 1; `undefined` if it is far away, or groups take turns. */
export function positionOf(draft: Draft, { key, row }: Queued): number | undefined {
  if (row.place.group !== undefined) return undefined;
  let position = 0;
  for (const [other] of draft.list(groupPrefix(undefined), { limit: POSITION_ROWS })) {
    position += 1;
    if (other === key) return position;
  }
  return undefined;
}

/** The first rows of the queue, for operators. Of a fair limit they are listed by group. */
export function* listQueue(draft: Draft, limit: number): Iterable<QueueRow> {
  for (const [, row] of draft.list(QUEUE_PREFIX, { limit })) if (isQueueRow(row)) yield row;
}

function firstOf(draft: Draft, group: string | undefined): Queued | undefined {
  for (const [key, row] of draft.list(groupPrefix(group), { limit: 1 })) if (isQueueRow(row)) return { key, row };
  return undefined;
}

function takeTurn(draft: Draft, group: string): void {
  const { turns: turn } = draft.header;
  draft.put(groupKey(group), { v: FORMAT_VERSION, turn } satisfies GroupRow);
  draft.put(turnKey(turn), { v: FORMAT_VERSION, group } satisfies TurnRow);
  draft.change({ turns: turn + 1 });
}
