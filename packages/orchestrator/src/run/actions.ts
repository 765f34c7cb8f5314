/**
 * The actions on a run: what the API would answer to each now (ACT1).
 *
 * Owns: asking each refusal, which is the one that the input itself gets. Nothing is changed and nothing is stored.
 *
 * Invariants
 * - AC1 An action is refused exactly if `transition`, or `planResume`, would refuse each request for it in this state.
 */
import type { JournalEntry, RunAction, RunActionName } from "@holdfast/protocol";
import { refuseAnswer, refuseClosed, refuseEachDelivery } from "./deliver.ts";
import { Draft } from "./draft/draft.ts";
import type { HostContext, Refusal } from "./draft/inputs.ts";
import { newerFormatError } from "./newer-run.ts";
import { refuseDelete, refuseEnded, refusePause, refuseRetry, refuseUnpause } from "./refusals.ts";
import { refuseResume } from "./resume.ts";
import { JOURNAL_PREFIX, listRows } from "./state/rows.ts";
import { type RunState, checkUnreadRows } from "./state/run-state.ts";
import { settleDueTimers } from "./timers.ts";

/** `stored`: the run before timers that are due are settled. A resume only reads it. */
type Refuse = (draft: Draft, stored: Draft) => Refusal | undefined;

/** In the order of the list. */
const REFUSALS: readonly (readonly [RunActionName, Refuse])[] = [
  ["deliverSignal", (draft) => refuseEachDelivery(draft, "signal")],
  ["deliverEvent", (draft) => refuseEachDelivery(draft, "event")],
  ["resolveToken", refuseEachAnswer],
  ["pauseRun", refusePause],
  ["unpauseRun", refuseUnpause],
  ["retryRun", refuseRetry],
  ["resumeRun", (_, stored) => refuseResume(stored.header, journalOf(stored))],
  ["cancelRun", (draft) => refuseEnded(draft, "cancel")],
  ["terminateRun", (draft) => refuseEnded(draft, "terminate")],
  ["deleteRun", refuseDelete],
];

/** The actions on a run that exists. Timers that are due are settled first, as an input does, on a draft that is dropped. */
export function actionsOf(state: RunState, context: HostContext): RunAction[] {
  checkUnreadRows(state);
  const newer = state.newer === undefined ? undefined : newerRefusal(state.newer);
  const stored = new Draft(state, context);
  const draft = new Draft(state, context);
  if (newer === undefined) settleDueTimers(draft);
  return REFUSALS.map(([action, refuse]) => {
    const refusal = newer ?? refuse(draft, stored);
    return refusal === undefined ? { action } : { action, refused: { error: refusal.code, message: refusal.message } };
  });
}

function newerRefusal(newer: string): Refusal {
  return { type: "refused", code: "newer_format", message: newerFormatError(newer).message };
}

/** An answer is accepted if one of the open tokens can be answered. */
function refuseEachAnswer(draft: Draft): Refusal | undefined {
  const tokenIds = draft.header.waits.flatMap(({ tokenId }) => tokenId ?? []);
  const refusals = tokenIds.map((tokenId) => refuseAnswer(draft, { tokenId }));
  if (refusals.includes(undefined)) return undefined;
  return refusals[0] ?? refuseClosed(draft, "an answer to a token") ?? NO_TOKEN;
}

const NO_TOKEN: Refusal = { type: "refused", code: "token_not_found", message: "The run waits for no token." };

function* journalOf({ state }: Draft): Generator<JournalEntry, void> {
  for (const [, entry] of listRows(state.store, JOURNAL_PREFIX)) yield entry;
}
