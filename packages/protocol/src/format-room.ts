/**
 * Names that are reserved for later formats (VER4).
 *
 * Owns: the reserved names. Newer code wrote a stored run that contains one of them: this version shows such a run and does
 * not change it. A report with one of them is rejected.
 */
import { type JournalEntry, isOutcome } from "./journal.ts";
import { FORMAT_VERSION } from "./version.ts";

/**
 * Fields of a run's header: the wrapped key of the run; the number of a part of a run that continues as a new one; the build
 * of its code; and the list of features in its rows that this format does not have. Code that writes a reserved entry or a
 * value in an envelope adds its name to `uses` in the same commit, so older code detects it without reading the journal.
 */
export const RESERVED_HEADER_FIELDS = ["wrappedKey", "segment", "build", "uses"] as const;

/**
 * The names in `uses` that this version knows. `releases`: races in the header, and entries `wait.released`. `followers`:
 * more than one parent in the header. `incarnation`: keys of steps that older code would not repeat (RUN9). `wait rows`:
 * open waits in rows of their own. `stream rows`: the same for streams. `asks`: waits whose answers are checked (ASK4). `holds`: limits, without which the run must not
 * execute (L1). `step holds`: places of steps at limits (STEP10). `topics`: waits for events of a topic, and events that the run sends (EVT5).
 */
const KNOWN_FEATURES: ReadonlySet<unknown> = new Set([
  "releases",
  "followers",
  "incarnation",
  "wait rows",
  "stream rows",
  "acknowledged starts",
  "asks",
  "holds",
  "step holds",
  "undescribed",
  "topics",
]);

/** Whether the stored list `uses` has only features that this version knows. */
export function areKnownFeatures(uses: unknown): boolean {
  return Array.isArray(uses) && uses.every((name) => KNOWN_FEATURES.has(name));
}

/** Types of journal entries. They have the fields that all entries have. */
export const RESERVED_ENTRY_TYPES = ["version.marked", "rewound", "edited", "execution.build"] as const;

/** Whether this version knows the form of an entry: its type, and its format if it is stored. */
export function isKnownEntry(entry: Pick<JournalEntry, "type"> & Partial<Pick<JournalEntry, "v">>): boolean {
  if ((entry.v ?? 0) > FORMAT_VERSION) return false;
  const known: boolean | undefined = isOutcome(entry);
  return known !== undefined;
}
