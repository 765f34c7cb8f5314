/**
 * The ids of the runs of a schedule (SCH4).
 *
 * Owns: their form. A tick has one id, so it starts at most one run, whatever is repeated.
 */
import { utcId } from "./times/utc.ts";

/** `sch_nightly_20270314T070000Z`. `again`: the number of a backfill that starts runs that exist again. */
export function runIdOf(scheduleId: string, nominal: number, again?: number): string {
  return `sch_${scheduleId}_${utcId(nominal)}${again === undefined ? "" : `_b${again}`}`;
}

/** The id of a run that an operator starts. */
export function manualRunId(scheduleId: string, unique: string): string {
  return `sch_${scheduleId}_m_${unique}`;
}
