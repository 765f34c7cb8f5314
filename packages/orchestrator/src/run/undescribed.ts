/**
 * A run whose workflow was not described when it was triggered: its code is in another process, which could not be asked.
 *
 * Owns: the question of such a run to the step handler. `described.ts` applies the answer.
 *
 * Invariants
 * - UD1 An undescribed run is pending, or paused, and has no execution: its limits are not known (L9).
 * - UD2 Each question has a timer in its commit. If the process dies, or no answer comes, the alarm asks again.
 */
import type { Draft } from "./draft/draft.ts";

/** The feature of rows that older code would execute without limits (VER4). */
export const UNDESCRIBED = "undescribed";

/** How long a question may be open, ms. A host answers earlier, also if the step handler does not. */
export const DESCRIBE_MS = 30_000;

/** Asks the step handler for the description of the workflow. */
export function askDescription(draft: Draft): void {
  const { undescribed, dispatch } = draft.header;
  draft.change({
    startAt: undefined,
    undescribed: { ...undescribed, askAt: draft.now + DESCRIBE_MS },
    ...(dispatch === undefined ? {} : { dispatch: { ...dispatch, retryAt: undefined } }),
  });
  draft.describe();
}

/** Asks again when the last question failed a while ago, or was not answered. */
export function settleDescription(draft: Draft): void {
  const { undescribed, dispatch } = draft.header;
  const next = Math.min(undescribed?.askAt ?? Infinity, dispatch?.retryAt ?? Infinity);
  if (next <= draft.now) askDescription(draft);
}
