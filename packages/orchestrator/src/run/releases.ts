/**
 * Waits that are let go (WAIT11): the losers of a race, and waits whose signal has aborted.
 *
 * Owns: the open races in the header, and the entries `wait.released`.
 *
 * Invariants
 * - RL1 The commit of a member's first outcome closes the race and releases the waits among the other members. A wait
 *   that opens later in the same transition opens released. So no delivery reaches a loser.
 * - RL2 A release is an outcome: it is final, and it also decides other races of its operation.
 */
import type { EntryBody, ExecutionEvent, OperationEvents, OperationId } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { cancelChild } from "./lifecycle.ts";
import type { OpenWait, Race, Release } from "./state/run-header.ts";
import { closeToken } from "./draft/tokens.ts";

/** The feature of rows that older versions do not know (VER4). */
const FEATURE = "releases";

/** Appends an outcome, and closes the races that it decides. */
export function appendOutcome(draft: Draft, body: EntryBody, nth: number, quiet = false): void {
  draft.append(body, nth, quiet);
  const { races = [] } = draft.header;
  const decided = races.filter(({ ops }) => ops.includes(body.op));
  if (decided.length === 0) return;
  const left = races.filter((race) => !decided.includes(race));
  draft.change({ races: left.length === 0 ? undefined : left });
  for (const race of decided) releaseLosers(draft, race, body.op);
}

/** Stores a race, or closes it at once if a member has an outcome. An execution may repeat the event. */
export function openRace(draft: Draft, { ops, cancelLosers }: ExecutionEvent & { type: "race.opened" }): void {
  const race: Race = { ops, ...(cancelLosers === true ? { cancelLosers } : {}) };
  const winner = ops.find((op) => draft.hasEnded(op) || draft.state.operations.get(op)?.ended === true);
  if (winner !== undefined) return releaseLosers(draft, race, winner);
  const { races = [] } = draft.header;
  const key = ops.join();
  if (races.some((known) => known.ops.join() === key)) return;
  draft.change({ races: [...races, race] });
  markFeature(draft);
}

/** Handles the abort of a wait's signal. A wait that ended before keeps its outcome. */
export function releaseAborted(draft: Draft, { op, value }: OperationEvents & { type: "wait.released" }): void {
  const wait = draft.header.waits.find((open) => open.op === op);
  if (wait === undefined) draft.releases.set(op, { value });
  else release(draft, wait, { value });
}

/** Journals that a wait was let go. The wait is not, or no longer, in the header. */
export function endReleased(
  draft: Draft,
  { op, nth, tokenId }: Pick<OpenWait, "op" | "nth" | "tokenId">,
  why: Release,
): void {
  markFeature(draft);
  if (tokenId !== undefined) closeToken(draft, tokenId, "released");
  appendOutcome(draft, { type: "wait.released", op, ...why }, nth, true);
}

function releaseLosers(draft: Draft, { ops, cancelLosers }: Race, by: OperationId): void {
  for (const op of ops) {
    if (op === by) continue;
    const wait = draft.header.waits.find((open) => open.op === op);
    if (wait === undefined) draft.releases.set(op, { by });
    // The child continues, and stays attached.
    else if (wait.runId === undefined) release(draft, wait, { by });
    else if (cancelLosers === true) releaseChild(draft, wait, by);
  }
}

function releaseChild(draft: Draft, wait: OpenWait, by: OperationId): void {
  cancelChild(draft, wait, `it lost a race in its parent ${draft.header.id}`);
  release(draft, wait, { by });
}

function release(draft: Draft, wait: OpenWait, why: Release): void {
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  endReleased(draft, wait, why);
}

/** Marks the run as one with rows that older versions do not know (VER4). Default: releases. */
export function markFeature(draft: Draft, feature: string = FEATURE): void {
  const { uses = [] } = draft.header;
  if (!uses.includes(feature)) draft.change({ uses: [...uses, feature] });
}
