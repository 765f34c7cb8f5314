/**
 * A schedule whose clock was ahead and was set back (SCH12).
 *
 * Owns: its watermark then, which would keep it silent until the clock is there again.
 *
 * Invariants
 * - SB1 A tick whose run was started while the clock was ahead is not decided again: a row lists these ticks. Of one whose
 *   decision is no longer stored, the id of the run still prevents a second run (SCH4).
 */
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import type { ScheduleDraft } from "./draft.ts";
import { AHEAD_KEY } from "./rows.ts";
import { runIdOf } from "./run-id.ts";

/** Moves a watermark of the future to now. One that is near stays, so a small correction decides nothing again. */
export function followClock(draft: ScheduleDraft): void {
  const { watermark, aheadUntil, lastNominal = 0 } = draft.header;
  if (watermark - draft.now > HOST_LIMITS.scheduleLateMs) {
    draft.put(AHEAD_KEY, { v: FORMAT_VERSION, started: startsAfter(draft, draft.now) });
    draft.change({ watermark: draft.now, aheadUntil: Math.max(watermark, aheadUntil ?? 0) });
    if (lastNominal > draft.now) draft.change({ lastNominal: undefined });
  } else if (aheadUntil !== undefined && aheadUntil <= watermark) {
    draft.delete(AHEAD_KEY);
    draft.change({ aheadUntil: undefined });
  }
}

/** The ticks that have started a run while the clock was ahead. */
export function startedAhead(draft: ScheduleDraft): readonly number[] {
  return draft.header.aheadUntil === undefined ? [] : (draft.ahead()?.started ?? []);
}

/** The ticks after a time that have a run, the earliest first. One that was skipped has none, unless a limit ended it. */
function startsAfter(draft: ScheduleDraft, time: number): readonly number[] {
  const started = new Set(startedAhead(draft));
  for (const { nominal, outcome } of draft.ticks(HOST_LIMITS.scheduleTicks)) {
    const runId = "runId" in outcome ? outcome.runId : outcome.by;
    if (runId === runIdOf(draft.config.id, nominal)) started.add(nominal);
  }
  const later = [...started].filter((nominal) => nominal > time);
  return later.toSorted((a, b) => a - b).slice(0, HOST_LIMITS.scheduleTicks);
}
