/**
 * A run that comes from a back-up, in which other runs may be of earlier or later moments.
 *
 * Owns: the messages that a restored run sends again, because their effect at the receiver may be lost (DUR14). A message
 * whose effect is not lost changes nothing (CHILD4).
 *
 * Invariants
 * - RS1 A back-up contains each run that existed when it began, as it was later. So a child in it is known to its parent,
 *   and a child that its parent knows may be missing.
 */
import { type OperationId, isTerminal, parseOperationId } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { cancelChild, notifyParent, suspend } from "./lifecycle.ts";
import { post } from "./draft/outbox.ts";
import { JOURNAL_PREFIX, OUTBOX_PREFIX, isRow, listRows, outboxKey } from "./state/rows.ts";
import { type RunHeader, parentsOf } from "./state/run-header.ts";
import { askAgain, freePlaces } from "./step-holds.ts";
import { subscribeAgain } from "./topics.ts";

/** Sends the messages again that other runs may have forgotten, or that were sent to a later state of them. */
export function restored(draft: Draft): void {
  const { header } = draft;
  cancelLostChildren(draft);
  startChildrenAgain(draft);
  noteAtParentAgain(draft);
  freePlaces(draft);
  suspend(draft);
  askAgain(draft);
  subscribeAgain(draft);
  if (isTerminal(header.status)) for (const parent of parentsOf(header)) notifyParent(draft, parent);
}

/** Starts each child again for which the run waits: a child that has the start already changes nothing. */
function startChildrenAgain(draft: Draft): void {
  for (const wait of draft.header.waits) {
    if (wait.start === undefined) continue;
    const key = outboxKey(wait.start);
    const row = draft.state.store.get(key);
    if (!isRow(OUTBOX_PREFIX, key, row) || row.message.type !== "trigger") continue;
    const { trigger } = row.message;
    // The end of the child names this message (CHILD1).
    const parent = trigger.parent && { ...trigger.parent, start: draft.header.outbox.next };
    draft.delete(key);
    const { start: _start, ...pending } = wait;
    draft.change({ waits: draft.header.waits.map((open) => (open === wait ? pending : open)) });
    post(draft, { kind: "run", name: trigger.runId }, { ...row.message, trigger: { ...trigger, parent } });
  }
}

/** Cancels each child again that was cancelled, if it may have forgotten the cancel: it has not reported its end. */
function cancelLostChildren(draft: Draft): void {
  const { header } = draft;
  // A run that never sent a message has no children.
  if (header.outbox.next === 1) return;
  const reason = `its parent ${header.id} has stopped`;
  for (const [op, runId] of cancelledChildren(draft, header)) cancelChild(draft, { op, runId }, reason);
}

/** The children that lost a race, or all that have not ended if the run has stopped. */
function cancelledChildren(draft: Draft, { status, unwinding }: RunHeader): Map<OperationId, string> {
  const open = new Map<OperationId, string>();
  const lost = new Map<OperationId, string>();
  for (const [, entry] of listRows(draft.state.store, JOURNAL_PREFIX)) {
    const { op } = entry;
    if (entry.type === "child.started" && entry.detached !== true) open.set(op, entry.runId);
    else if (entry.type === "child.ended") open.delete(op);
    else if (entry.type === "wait.released" && parseOperationId(op).kind === "run") {
      const runId = open.get(op);
      if (runId !== undefined && entry.by !== undefined) lost.set(op, runId);
      open.delete(op);
    }
  }
  return isTerminal(status) || unwinding !== undefined ? new Map([...lost, ...open]) : lost;
}

/** Notifies the run again from which this one was resumed (RES1). */
function noteAtParentAgain(draft: Draft): void {
  const { id, resumedFrom, createdAt } = draft.header;
  if (resumedFrom === undefined || !draft.context.canSend) return;
  post(draft, { kind: "run", name: resumedFrom.runId }, { type: "noteResumed", runId: id, resumedAt: createdAt });
}
