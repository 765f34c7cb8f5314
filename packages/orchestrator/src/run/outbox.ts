/**
 * The outbox of a run: messages to other objects, as rows until they are acknowledged (CHILD4).
 *
 * Owns: the rows. When they are sent, and sent again, is the same for every kind of object (`host/outbox`).
 */
import { type Address, FORMAT_VERSION, toStoredAddress } from "@holdfast/protocol";
import { posted, removed, settled } from "../host/outbox.ts";
import type { Draft } from "./draft.ts";
import type { RunMessage } from "./messages.ts";
import { type OutboxRow, outboxKey } from "./rows.ts";

/** Puts a message into the outbox. */
export function post(draft: Draft, to: Address, message: RunMessage): void {
  const { outbox } = draft.header;
  const row: OutboxRow = { v: FORMAT_VERSION, to: toStoredAddress(to), message };
  draft.put(outboxKey(outbox.next), row);
  draft.change({ outbox: posted(outbox, draft.now) });
  draft.send(false);
}

/** Messages that are not acknowledged in time are sent again. */
export function settleOutbox(draft: Draft): void {
  const outbox = settled(draft.header.outbox, draft.now);
  if (outbox === undefined) return;
  draft.change({ outbox });
  draft.send(true);
}

/** The message was acknowledged, or refused for good: those after it may go. */
export function remove(draft: Draft, key: string): void {
  draft.delete(key);
  draft.change({ outbox: removed(draft.header.outbox) });
  if (draft.header.outbox.count > 0) draft.send(false);
}
