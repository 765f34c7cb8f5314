/**
 * The rows of a topic.
 *
 * Owns: their forms and keys, and the reading of them. Every row has `v`; later versions only add optional fields (VER1).
 */
import type { CoordinatorHeader } from "../host/coordinator.ts";
import type { SubscriberRef, TopicEvent } from "./messages.ts";

export const EVENT_PREFIX = "event/";
export const SUBSCRIBER_PREFIX = "subscriber/";

export interface DroppedEvents {
  readonly n: number;
  readonly at: number;
  readonly count: number;
  /** What `at` is for subscriptions that began after the clock was set back. Absent: the same. */
  readonly later?: number | undefined;
}

export interface TopicHeader extends CoordinatorHeader {
  /** The number of the newest event. The first one follows the time at which the topic was created, ms since 1970. */
  readonly last: number;
  /**
   * The number of the newest event that a run has seen, if the topic has none so high: it comes from a back-up of an earlier
   * moment than the run (DUR14).
   */
  readonly seen?: number | undefined;
  /** How long an event is stored, ms. */
  readonly keepMs: number;
  /** The stored events, and the characters of their data. */
  readonly events: number;
  readonly chars: number;
  /** The oldest of them, and when it was stored. */
  readonly oldest?: { readonly n: number; readonly at: number } | undefined;
  /** How many rows have an id alone, and when the oldest of them is deleted. */
  readonly ids: number;
  readonly idsUntil?: number | undefined;
  /** The newest event that is no longer stored (EVT5), and how many there were. */
  readonly dropped?: DroppedEvents | undefined;
  readonly subscribers: number;
  /** The keys of the subscribers to which a message is in flight (EVT10). */
  readonly sending: readonly string[];
  /** Up to which key the subscribers were scanned for one with events to get. Absent: none has any. */
  readonly scan?: string | undefined;
  /** The scan begins again when it ends. */
  readonly scansAgain?: true | undefined;
  /** A subscriber could not be reached. */
  readonly missed?: true | undefined;
  /** When messages in flight are sent again, and how often that was without an answer. */
  readonly retryAt?: number | undefined;
  readonly failures: number;
  /** When subscribers are asked whether they still wait. */
  readonly probeAt?: number | undefined;
  /**
   * The newest event, and the time, when the clock was set back last: the events until then were stored by that time.
   * `from`: the latest time that the clock showed before.
   */
  readonly setBack?: { readonly n: number; readonly at: number; readonly from?: number } | undefined;
  /** When the topic was last used. */
  readonly usedAt: number;
}

/** An event. Without `event` only its id is stored, so that a repeated message is recognised (EVT4). */
export interface EventRow {
  readonly v: number;
  readonly n: number;
  readonly id: string;
  readonly at: number;
  readonly event?: TopicEvent | undefined;
}

export interface SubscriberRow {
  readonly v: number;
  readonly run: SubscriberRef;
  /** The number of the last event that it does not get any more. */
  readonly cursor: number;
  readonly since: number;
  readonly allowGap?: true | undefined;
  readonly gapSince?: number | undefined;
  /** When it subscribed, or last said that it waits, ms since 1970. */
  readonly at: number;
}

export function eventKey(n: number): string {
  return EVENT_PREFIX + String(n).padStart(16, "0");
}

export function subscriberKey({ runId, incarnation }: SubscriberRef): string {
  return `${SUBSCRIBER_PREFIX}${incarnation}/${runId}`;
}

export function isEventRow(row: unknown): row is EventRow {
  return typeof row === "object" && row !== null && "n" in row;
}

export function isSubscriberRow(row: unknown): row is SubscriberRow {
  return typeof row === "object" && row !== null && "cursor" in row;
}
