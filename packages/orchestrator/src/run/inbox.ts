/**
 * The inbox: deliveries that are buffered for a wait to come, or until the run is no longer paused (CAN6).
 *
 * Owns: the rows, the bound on them (WAIT9), and which delivery is for which wait (WAIT6).
 */
import { FORMAT_VERSION, type OperationKind, assert, decodeValue, matchesPattern } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Reply } from "./inputs.ts";
import { type BufferedKind, INBOX_PREFIX, type InboxRow, inboxKey, isRow } from "./rows.ts";
import { type OpenWait, kindOf } from "./run-header.ts";

/** What a delivery is for. */
export interface Buffered {
  readonly kind: BufferedKind;
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string | undefined;
}

/** The kind of wait that a delivery is for. Rows say `child` where operations say `run`. */
function waitKindOf(kind: BufferedKind): OperationKind {
  return kind === "child" ? "run" : kind;
}

/** Whether the delivery is for this wait. */
export function isFor(wait: OpenWait, { kind, name, payload }: Omit<Buffered, "deliveryId">): boolean {
  if (kindOf(wait) !== waitKindOf(kind)) return false;
  if (kind === "token") return wait.tokenId === name;
  if (kind === "child") return wait.op === name;
  if (wait.name !== name) return false;
  return wait.match === undefined || matchesPattern(decodeValue(wait.match), decodeValue(payload));
}

/** Buffers a delivery, or refuses it because there are too many (WAIT9). */
export function buffer(draft: Draft, delivery: Buffered): Reply | undefined {
  const { inbox } = draft.header;
  if (inbox.count >= draft.context.limits.inboxDeliveries)
    return refuseFull(`it keeps ${draft.context.limits.inboxDeliveries} deliveries already`);
  if (inbox.chars + delivery.payload.length > draft.context.limits.inboxChars) {
    return refuseFull(`what it keeps would exceed ${draft.context.limits.inboxChars} characters`);
  }
  bufferRow(draft, delivery);
  return undefined;
}

/** Answers to tokens and ends of children are not counted against the limit: there is one at most for each wait. */
export function bufferRow(draft: Draft, { deliveryId, ...delivery }: Buffered): void {
  const { inbox } = draft.header;
  const row: InboxRow = {
    v: FORMAT_VERSION,
    ...delivery,
    ...(deliveryId === undefined ? {} : { deliveryId }),
    at: draft.now,
  };
  draft.put(inboxKey(inbox.next), row);
  const chars = inbox.chars + delivery.payload.length;
  draft.change({ inbox: { count: inbox.count + 1, chars, next: inbox.next + 1 } });
}

/** Whether a delivery of this kind and name was buffered before this transition. */
export function isBuffered(draft: Draft, kind: BufferedKind, name: string): boolean {
  for (const one of draft.state.inbox.values()) if (one.kind === kind && one.name === name) return true;
  return false;
}

/** Removes and gives the oldest buffered delivery for a wait that was opened. `taken`: keys that are taken already. */
export function takeBuffered(draft: Draft, wait: OpenWait, taken: Set<string>): InboxRow | undefined {
  if (draft.header.status === "paused") return undefined;
  for (const [key, { kind, name, chars }] of draft.state.inbox) {
    if (taken.has(key) || waitKindOf(kind) !== kindOf(wait) || name !== wait.name) continue;
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

export function refuseFull(why: string): Reply {
  return {
    type: "refused",
    code: "inbox_full",
    message: `The run takes no more deliveries that nothing waits for: ${why}. Deliver again when it has caught up.`,
  };
}
