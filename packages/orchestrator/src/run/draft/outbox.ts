/**
 * The outbox of a run: messages to other objects, which are rows until they are acknowledged (CHILD4).
 *
 * Owns: the rows. `host/outbox` decides for all kinds of objects when messages are sent again.
 */
import { type Address, FORMAT_VERSION, toStoredAddress } from "@holdfast/protocol";
import { posted, removed, settled } from "../../host/outbox.ts";
import type { Draft } from "./draft.ts";
import type { OutboxMessage } from "../state/messages.ts";
import { type OutboxRow, outboxKey } from "../state/rows.ts";

/** Puts a message into the outbox. */
export function post(draft: Draft, to: Address, message: OutboxMessage): void {
  const { outbox } = draft.header;
  const row: OutboxRow = { v: FORMAT_VERSION, to: toStoredAddress(to), message };
  draft.put(outboxKey(outbox.next), row);
  draft.change({ outbox: posted(outbox, draft.now) });
  draft.send(false);
}

/** Sends messages again that were not acknowledged in time. */
export function settleOutbox(draft: Draft): void {
  const outbox = settled(draft.header.outbox, draft.now);
  if (outbox === undefined) return;
  draft.change({ outbox });
  draft.send(true);
}

/** Removes a message that was acknowledged or rejected finally. The next message to its address is sent. */
export function remove(draft: Draft, key: string): void {
  draft.delete(key);
  acknowledged(draft);
}

/** The same for a message whose row stays. */
export function acknowledged(draft: Draft): void {
  draft.change({ outbox: removed(draft.header.outbox) });
  if (draft.header.outbox.count > 0) draft.send(false);
}
