/**
 * The list of a tenant's newest events.
 *
 * Owns: which events are in the list. An event reports itself once, when it is accepted, by a message that is not stored: an
 * event writes no row more for the list, and is in no list if its object ends at that moment. It is read by its id then.
 *
 * Invariants
 * - EL1 The keys of the rows are in the order of the list: the newest first. At most `eventsListed` rows are stored.
 * - EL2 After the clock was set back, an event that arrives is still the newest one.
 */
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import type { CoordinatorHeader, CoordinatorMachine, CoordinatorState } from "../host/coordinator.ts";
import { isObject } from "../json-schema/schema.ts";

/** The address of the list, in each tenant. */
export const EVENT_LIST = { kind: "events", name: "events" } as const;

const ITEM_PREFIX = "item/";
/** The key of a later time is before that of an earlier one. */
const TIME_MAX = 9_999_999_999_999;
const TIME_DIGITS = 13;

const NEWEST = { limit: 1 } as const;
const OLDEST = { reverse: true, limit: 1 } as const;

/** An event was accepted. */
export interface EventListed {
  readonly type: "listed";
  readonly id: string;
  readonly name: string;
  readonly receivedAt: number;
}

export interface EventListCommand {
  readonly type: "list";
  /** Only events of this name. */
  readonly name?: string | undefined;
  /** The `next` of an answer. */
  readonly after?: string | undefined;
  readonly count: number;
}

/** Events of a name that were received in a time, the oldest first. */
export interface EventRangeCommand {
  readonly type: "range";
  readonly name: string;
  /** Inclusive, ms since 1970. */
  readonly from: number;
  /** Exclusive, ms since 1970. */
  readonly until: number;
  /** The `next` of an answer. */
  readonly after?: string | undefined;
  readonly count: number;
}

export interface EventIds {
  /** The ids of events, the newest first. */
  readonly ids: readonly string[];
  /** Absent: there are no more. */
  readonly next?: string;
  /** Of a range: the `next` after each event. Earlier code sends none. */
  readonly places?: readonly string[];
}

interface EventListHeader extends CoordinatorHeader {
  readonly count: number;
}

export const eventList: CoordinatorMachine<CoordinatorState<EventListHeader>> = {
  kind: "events",
  load: (store, header) => ({ header, store }),
  first: (common) => ({ ...common, count: 0 }),
  nextAlarm: () => undefined,
  message(draft, { id, name, receivedAt }: EventListed) {
    const { store } = draft.state;
    const [newest] = store.list(ITEM_PREFIX, NEWEST);
    const newestAt = newest === undefined ? -Infinity : placeOf(newest[0]);
    // The newest event has a later time if the clock was set back, or if the clock of its object shows a later one (EL2).
    const place = draft.now < newestAt ? newestAt + 1 : receivedAt;
    const key = `${ITEM_PREFIX}${String(Math.max(TIME_MAX - place, 0)).padStart(TIME_DIGITS, "0")}.${id}`;
    if (draft.get(key) !== undefined) return { type: "acknowledged" };
    const { count } = draft.header;
    const [oldest] = count < HOST_LIMITS.eventsListed ? [] : store.list(ITEM_PREFIX, OLDEST);
    // A late message of an old event takes no place of a newer one.
    if (oldest !== undefined && key > oldest[0]) return { type: "acknowledged" };
    draft.put(key, { v: FORMAT_VERSION, id, name, ...(place === receivedAt ? {} : { at: receivedAt }) });
    if (oldest === undefined) draft.change({ count: count + 1 });
    else draft.delete(oldest[0]);
    return { type: "acknowledged" };
  },
  command(draft, command: EventListCommand | EventRangeCommand) {
    if (command.type === "range") return { type: "done", body: rangeOf(draft.list(ITEM_PREFIX), command) };
    const { name, after, count } = command;
    const found: [key: string, id: string][] = [];
    for (const [key, row] of draft.list(ITEM_PREFIX, after === undefined ? {} : { after: ITEM_PREFIX + after })) {
      if (!isItem(row) || (name !== undefined && row.name !== name)) continue;
      found.push([key, row.id]);
      if (found.length > count) break;
    }
    const shown = found.slice(0, count);
    const last = found.length > count ? shown.at(-1)?.[0].slice(ITEM_PREFIX.length) : undefined;
    const ids = shown.map(([, id]) => id);
    return { type: "done", body: { ids, ...(last === undefined ? {} : { next: last }) } satisfies EventIds };
  },
  answered: () => {},
  alarm: () => {},
};

/** The list is bounded, so each page reads all of it. */
function rangeOf(rows: Iterable<[string, unknown]>, range: EventRangeCommand): EventIds {
  const { name, from, until, after, count } = range;
  const found = [...rows].toReversed().flatMap(([key, row]) => {
    const place = key.slice(ITEM_PREFIX.length);
    const at = isItem(row) ? (row.at ?? placeOf(key)) : Number.NaN;
    const isIn = isItem(row) && row.name === name && at >= from && at < until;
    return isIn && (after === undefined || place < after) ? [{ id: row.id, place }] : [];
  });
  const shown = found.slice(0, count);
  const next = found.length > count ? shown.at(-1)?.place : undefined;
  const places = shown.map(({ place }) => place);
  return { ids: shown.map(({ id }) => id), places, ...(next === undefined ? {} : { next }) };
}

/** The time of an event in the order of the list, ms since 1970. */
function placeOf(key: string): number {
  return TIME_MAX - Number(key.slice(ITEM_PREFIX.length, ITEM_PREFIX.length + TIME_DIGITS));
}

/** `at`: when the event was received, if its place in the list is another time (EL2). */
function isItem(row: unknown): row is { readonly id: string; readonly name: string; readonly at?: number } {
  return isObject(row) && typeof row["id"] === "string";
}
