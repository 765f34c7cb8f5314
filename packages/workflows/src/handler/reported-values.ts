/**
 * What a step handler adds to a report: the version of its code (RUN4), and that the answer need not repeat values (E5).
 *
 * Owns: which reports say so, and putting the values back. An orchestrator that does not know the mark repeats all values.
 */
import {
  type ExecutionReport,
  type ExecutionStart,
  type JournalEntry,
  type ReportAnswer,
  valuesOf,
} from "@holdfast/protocol";

/** Shorter values cost less than the mark. */
const LONG_CHARS = 512;

/** Returns the report with the version of the code, and with the mark if it has a long value. */
export function completed(report: ExecutionReport, version: string | undefined): ExecutionReport {
  const isLong = report.events.some((event) => "value" in event && event.value.length >= LONG_CHARS);
  return { ...report, ...(version === undefined ? {} : { version }), ...(isLong ? { keeps: true } : {}) };
}

/** Returns the version that a run of this code keeps; `undefined`: the run has one already, or the code has none. */
export function versionToKeep(
  start: ExecutionStart,
  code: { readonly version?: string | undefined },
): string | undefined {
  return start.workflowVersion === undefined ? code.version : undefined;
}

/** Returns the answer to the report with the values that it left out. */
export function withReported({ keeps, events }: ExecutionReport, answer: ReportAnswer): ReportAnswer {
  if (keeps !== true || !answer.accepted) return answer;
  const values = valuesOf(events);
  const restored = (entry: JournalEntry): JournalEntry =>
    "value" in entry && entry.value === "" ? { ...entry, value: values.get(entry.op) ?? "" } : entry;
  return { ...answer, entries: answer.entries.map(restored) };
}
