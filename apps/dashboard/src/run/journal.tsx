/**
 * The journal of a run, entry by entry.
 *
 * Owns: the rows. It gets the entries that are loaded.
 */
import type { JournalEntry } from "@holdfast/workflows/client";
import type { JSX } from "preact";

export interface JournalProps {
  readonly entries: readonly JournalEntry[];
  readonly onSelect: (op: string) => void;
}

export function Journal({ entries }: JournalProps): JSX.Element {
  return <p>{entries.length} entries</p>;
}
