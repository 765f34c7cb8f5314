/**
 * Names that later formats use, and what this version knows (VER4).
 *
 * Owns: the reserved names. A stored run that holds one of them was written by newer code: this version shows the run and
 * changes nothing. A report that holds one is refused.
 */
import { type JournalEntry, isOutcome } from "./journal.ts";
import { FORMAT_VERSION } from "./version.ts";

/**
 * Fields of a run's header: the run's own key, wrapped; which part of a run that continues itself; the build of its code;
 * and the list of what its rows use beyond this format. Code that writes a reserved entry or a value in an envelope names
 * it in `uses` in the same commit, so that older code knows it without reading the journal.
 */
export const RESERVED_HEADER_FIELDS = ["wrappedKey", "segment", "build", "uses"] as const;

/** Kinds of journal entries. They carry the fields that every entry has. */
export const RESERVED_ENTRY_TYPES = ["version.marked", "rewound", "edited", "execution.build"] as const;

/** Whether this version knows the form of an entry: its type, and its format if it is stored. */
export function isKnownEntry(entry: Pick<JournalEntry, "type"> & Partial<Pick<JournalEntry, "v">>): boolean {
  if ((entry.v ?? 0) > FORMAT_VERSION) return false;
  const known: boolean | undefined = isOutcome(entry);
  return known !== undefined;
}
