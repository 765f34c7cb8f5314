/**
 * The starts of children that the children have acknowledged.
 *
 * Owns: which rows of the outbox are acknowledged and stay. A parent that is restored from a back-up sends them again,
 * because the back-up may lack the child (DUR14): only the start has the input of the child.
 *
 * Invariants
 * - AS1 The start of a child stays as long as the wait for the child, which names it (WR3). A detached child has no wait.
 * - AS2 The sender and the count of the outbox ignore it. Older code does not know this, and refuses such a run (VER4).
 * - AS3 A transition asks the stored header: a timer may have ended the wait in the same transition, and the row still is
 *   there.
 */
import type { OutboxSenderOptions, SendResult } from "../host/outbox-sender.ts";
import type { StoreReader } from "../host/store.ts";
import type { Draft } from "./draft/draft.ts";
import type { OutboxMessage } from "./state/messages.ts";
import { OUTBOX_PREFIX, type OutboxRow, listRows, readRow } from "./state/rows.ts";
import type { RunHeader } from "./state/run-header.ts";

/** The feature of rows that older versions do not know (VER4). */
export const ACKNOWLEDGED_STARTS = "acknowledged starts";

/** Keeps the row of an acknowledged start while the run waits for the child. Returns whether it does. */
export function keepStart(draft: Draft, key: string, message: OutboxMessage): boolean {
  const { waits } = draft.header;
  if (message.type !== "trigger" || !waits.some(({ op }) => op === message.op)) return false;
  const start = positionOf(key);
  draft.change({ waits: waits.map((wait) => (wait.op === message.op ? { ...wait, start } : wait)) });
  return true;
}

/** Whether a row of the outbox is a start that was acknowledged. */
export function isAcknowledgedStart(header: RunHeader | undefined, key: string): boolean {
  const position = positionOf(key);
  return header?.waits.some(({ start }) => start === position) === true;
}

/** Returns how the sender reads the rows of the outbox (AS2). */
export function pendingRows(
  store: StoreReader,
  header: () => RunHeader | undefined,
): Pick<OutboxSenderOptions<OutboxRow, SendResult>, "list" | "read"> {
  return {
    *list(options) {
      let acknowledged: ReadonlySet<number | undefined> | undefined;
      for (const [key, row] of listRows(store, OUTBOX_PREFIX, options)) {
        acknowledged ??= new Set(header()?.waits.map(({ start }) => start));
        yield [key, acknowledged.has(positionOf(key)) ? undefined : row];
      }
    },
    read: (key) =>
      isAcknowledgedStart(header(), key) ? undefined : readRow(store, OUTBOX_PREFIX, key.slice(OUTBOX_PREFIX.length)),
  };
}

function positionOf(key: string): number {
  return Number(key.slice(OUTBOX_PREFIX.length));
}
