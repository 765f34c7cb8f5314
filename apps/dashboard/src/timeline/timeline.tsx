/**
 * The timeline of a run.
 *
 * Owns: the rows of its operations. It gets the record and the journal, and reports the operation that the reader selects.
 */
import type { JournalEntry, RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";

export interface TimelineProps {
  readonly run: RunRecord;
  readonly entries: readonly JournalEntry[];
  /** The time of the server, ms. */
  readonly now: () => number;
  /** `kind/occurrence/name` of an operation. */
  readonly selected?: string | undefined;
  readonly onSelect: (op: string) => void;
}

export function Timeline({ entries }: TimelineProps): JSX.Element {
  return <p>{entries.length} entries</p>;
}
