/**
 * The values of a report, which the answer need not repeat (E5).
 *
 * Owns: which reports say so, and putting the values back. An orchestrator that does not know the mark repeats all values.
 */
import { type ExecutionReport, type JournalEntry, type ReportAnswer, valuesOf } from "@holdfast/protocol";

/** Shorter values cost less than the mark. */
const LONG_CHARS = 512;

/** Returns the report with the mark, if it has a long value. */
export function keeping(report: ExecutionReport): ExecutionReport {
  const isLong = report.events.some((event) => "value" in event && event.value.length >= LONG_CHARS);
  return isLong ? { ...report, keeps: true } : report;
}

/** Returns the answer to the report with the values that it left out. */
export function withReported({ keeps, events }: ExecutionReport, answer: ReportAnswer): ReportAnswer {
  if (keeps !== true || !answer.accepted) return answer;
  const values = valuesOf(events);
  const restored = (entry: JournalEntry): JournalEntry =>
    "value" in entry && entry.value === "" ? { ...entry, value: values.get(entry.op) ?? "" } : entry;
  return { ...answer, entries: answer.entries.map(restored) };
}
