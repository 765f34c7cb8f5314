/**
 * What the forms of a schedule share.
 */
import type { ScheduleRecord } from "@holdfast/workflows/client";

export interface FormProps {
  readonly schedule: ScheduleRecord;
  readonly onClose: () => void;
  /** The schedule has changed. */
  readonly onDone: () => void;
}

/** The path of a request about a schedule. */
export function pathOf(id: string, end = ""): string {
  return `/api/schedules/${encodeURIComponent(id.toWellFormed())}${end}`;
}
