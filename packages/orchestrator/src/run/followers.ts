/**
 * The parents of a run that several starts with one idempotency key share (RUN2).
 *
 * Owns: the list `followers` of the header: the parents that joined the run after it was created.
 *
 * Invariants
 * - FO1 The end of a run is sent to its creator and to each follower. A follower of an ended run gets the end at once.
 * - FO2 Only the creator's cancel stops the run (CHILD3).
 */
import { HOST_LIMITS, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { notifyParent } from "./lifecycle.ts";
import type { RunMessage, TriggerInput } from "./state/messages.ts";
import { markFeature } from "./releases.ts";
import { type ParentRef, type RunHeader, parentsOf } from "./state/run-header.ts";

/** Whether a start has the key of the run. It joins the run then. */
export function sharesKey(header: RunHeader, { identity }: TriggerInput): boolean {
  return header.idempotencyKey !== undefined && header.idempotencyKey === identity.idempotencyKey;
}

/**
 * Adds the parent of a start that joins the run. A repeated start changes nothing (CHILD4). Of an ended run it gets the end
 * again: the parent may have been restored to before its start (DUR14).
 */
export function follow(draft: Draft, parent: ParentRef | undefined): void {
  if (parent === undefined) return;
  const { followers = [] } = draft.header;
  if (!isKnown(draft.header, parent)) {
    draft.change({ followers: [...followers, parent].slice(-HOST_LIMITS.followers) });
    markFeature(draft, "followers");
  }
  answerStart(draft, parent);
}

/** Answers the repeated start of a run by its creator: an ended run reports its end again (DUR14). */
export function answerStart(draft: Draft, parent: ParentRef | undefined): void {
  if (parent !== undefined && isTerminal(draft.header.status)) notifyParent(draft, parent);
}

/** Whether a start must wait: the run has all the followers that it may have until its end (LIM1). */
export function isFull(header: RunHeader | undefined, message: RunMessage): boolean {
  if (header === undefined || message.type !== "trigger" || isTerminal(header.status)) return false;
  const { parent } = message.trigger;
  if (parent === undefined) return false;
  return (header.followers?.length ?? 0) >= HOST_LIMITS.followers && !isKnown(header, parent);
}

/** Whether two messages are the same start. A later run with the parent's id was created at another time. */
export function isSameStart(a: ParentRef, b: ParentRef): boolean {
  return a.runId === b.runId && a.op === b.op && a.start === b.start && a.createdAt === b.createdAt;
}

function isKnown(header: RunHeader, parent: ParentRef): boolean {
  return parentsOf(header).some((known) => isSameStart(known, parent));
}
