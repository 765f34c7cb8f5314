/**
 * The inbox: deliveries that are buffered for a later wait, or until the run is no longer paused (CAN6).
 *
 * Owns: the rows, their limit (WAIT9), and the assignment of deliveries to waits (WAIT6).
 */
import { FORMAT_VERSION, type OperationKind, assert, decodeValue, matchesPattern } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Refusal } from "./inputs.ts";
import { type BufferedKind, INBOX_PREFIX, type InboxRow, inboxKey, isRow } from "../state/rows.ts";
import { type OpenWait, kindOf } from "../state/run-header.ts";
import type { BufferedDelivery } from "../state/run-state.ts";

/** A delivery that can be buffered. */
export interface Buffered {
  readonly kind: BufferedKind;
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string | undefined;
  /** Of an answer to a token: the caller. */
  readonly by?: string | undefined;
}

/** Returns the kind of operation that waits for such a delivery. Rows use `child` where operations use `run`. */
function waitKindOf(kind: BufferedKind): OperationKind {
  return kind === "child" ? "run" : kind;
}

/** Whether a delivery resolves this wait. */
export function isFor(wait: OpenWait, { kind, name, payload }: Omit<Buffered, "deliveryId">): boolean {
  if (kindOf(wait) !== waitKindOf(kind)) return false;
  if (kind === "token") return wait.tokenId === name;
  if (kind === "child") return wait.op === name;
  // Events of topics do not come through the inbox (EVT6).
  return wait.name === name && wait.topic === undefined && isWanted(wait, payload);
}

/** Whether a wait accepts a payload (WAIT6). */
export function isWanted({ match }: OpenWait, payload: string): boolean {
  return match === undefined || matches(match, payload);
}

/** A payload or a pattern that does not decode matches nothing. */
function matches(pattern: string, payload: string): boolean {
  try {
    return matchesPattern(decodeValue(pattern), decodeValue(payload));
  } catch {
    return false;
  }
}

const DELIVER_LATER = "Deliver again after the run has consumed some.";

/** Buffers a delivery, or returns the refusal if the inbox is full (WAIT9). */
export function buffer(draft: Draft, delivery: Buffered): Refusal | undefined {
  const refusal = refuseBuffering(draft, delivery.payload.length);
  if (refusal === undefined) bufferRow(draft, delivery);
  return refusal;
}

/** Refuses a payload of `chars` characters if the inbox is full. */
export function refuseBuffering({ header: { inbox }, context: { limits } }: Draft, chars: number): Refusal | undefined {
  if (inbox.count >= limits.inboxDeliveries)
    return refuseFull(
      `The run has ${limits.inboxDeliveries} buffered deliveries, which is the limit. ${DELIVER_LATER}`,
    );
  if (inbox.chars + chars <= limits.inboxChars) return undefined;
  return refuseFull(`The run's buffered deliveries would exceed ${limits.inboxChars} characters. ${DELIVER_LATER}`);
}

/**
 * Buffers a delivery without a check of the limit. Answers to tokens and ends of children need no check: each wait has at
 * most one.
 */
export function bufferRow(draft: Draft, { deliveryId, by, ...delivery }: Buffered): void {
  const { inbox } = draft.header;
  const row: InboxRow = {
    v: FORMAT_VERSION,
    ...delivery,
    ...(deliveryId === undefined ? {} : { deliveryId }),
    ...(by === undefined ? {} : { by }),
    at: draft.now,
  };
  draft.put(inboxKey(inbox.next), row);
  const chars = inbox.chars + delivery.payload.length;
  draft.change({ inbox: { count: inbox.count + 1, chars, next: inbox.next + 1 } });
}

/** Returns the delivery of this kind and name that was buffered before this transition. */
export function findBuffered(draft: Draft, kind: BufferedKind, name: string): BufferedDelivery | undefined {
  for (const one of draft.state.inbox.values()) if (one.kind === kind && one.name === name) return one;
  return undefined;
}

/**
 * Removes and returns the oldest buffered delivery for a wait that opens.
 * @param taken The keys that this transition has removed before. This function adds to it.
 */
export function takeBuffered(draft: Draft, wait: OpenWait, taken: Set<string>): InboxRow | undefined {
  if (draft.header.status === "paused") return undefined;
  for (const [key, { kind, name, chars }] of draft.state.inbox) {
    if (taken.has(key) || waitKindOf(kind) !== kindOf(wait) || name !== wait.name || wait.topic) continue;
    const row = readBuffered(draft, key);
    if (!isFor(wait, row)) continue;
    taken.add(key);
    removeBuffered(draft, key, chars);
    return row;
  }
  return undefined;
}

/** The row of a buffered delivery. */
export function readBuffered(draft: Draft, key: string): InboxRow {
  const row = draft.state.store.get(key);
  assert(isRow(INBOX_PREFIX, key, row), "the inbox in memory lists stored rows");
  return row;
}

export function removeBuffered(draft: Draft, key: string, chars: number): void {
  const { inbox } = draft.header;
  draft.delete(key);
  draft.change({ inbox: { ...inbox, count: inbox.count - 1, chars: inbox.chars - chars } });
}

export function refuseFull(message: string): Refusal {
  return { type: "refused", code: "inbox_full", message };
}
