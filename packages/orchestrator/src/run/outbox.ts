/**
 * The outbox: messages to other runs, as rows until they are acknowledged (CHILD4).
 *
 * Owns: when messages are sent and sent again, and what their acknowledgement changes.
 */
import { FORMAT_VERSION, LIMITS } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { RunMessage } from "./messages.ts";
import { type OutboxRow, outboxKey } from "./rows.ts";

/** How long a message stays unacknowledged before it is sent again. */
const OUTBOX_RETRY_MS = 15_000;

/** Puts a message to another run into the outbox. */
export function post(draft: Draft, to: string, message: RunMessage): void {
  const { outbox } = draft.header;
  const row: OutboxRow = { v: FORMAT_VERSION, to, message };
  draft.put(outboxKey(outbox.next), row);
  const retryAt = outbox.retryAt ?? draft.now + LIMITS.watchdogMsMin;
  draft.change({ outbox: { ...outbox, count: outbox.count + 1, next: outbox.next + 1, retryAt } });
  draft.send();
}

/** Messages that are not acknowledged are sent again, and the time for the next try is set. */
export function settleOutbox(draft: Draft): void {
  const { outbox } = draft.header;
  if (outbox.retryAt === undefined || outbox.retryAt > draft.now) return;
  draft.change({ outbox: { ...outbox, retryAt: draft.now + OUTBOX_RETRY_MS } });
  draft.send();
}

/** The receiver could not be reached. */
export function retryLater(draft: Draft): void {
  const { outbox } = draft.header;
  const failures = outbox.failures + 1;
  draft.change({
    outbox: { ...outbox, failures, retryAt: draft.now + Math.min(1_000 * 2 ** Math.min(failures, 6), 60_000) },
  });
}

/** The message was acknowledged, or refused for good. */
export function remove(draft: Draft, key: string): void {
  const { retryAt, ...outbox } = draft.header.outbox;
  draft.delete(key);
  const count = outbox.count - 1;
  draft.change({
    outbox: { ...outbox, count, failures: 0, ...(count === 0 || retryAt === undefined ? {} : { retryAt }) },
  });
  if (count > 0) draft.send();
}
