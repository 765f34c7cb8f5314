/**
 * Exports the run of the page: the same file that `holdfast export` writes.
 */
import { ApiError, type AuditEntry } from "@holdfast/workflows/client";
import { serverNow } from "../clock.ts";
import { writeExported } from "../open/exported.ts";
import { api } from "../session.ts";
import { saveFile } from "../ui/save.ts";
import type { RunData } from "./run-data.ts";

/** Reads what is missing, and saves the file. */
export async function exportRun({ id, journal }: RunData): Promise<void> {
  const handle = api().run(id);
  const { signal } = new AbortController();
  // The record is older than the journal, so an ended record has a whole journal.
  const run = await handle.get();
  await journal.readNewer(signal);
  await journal.readOlder(signal, () => true);
  if (journal.notLoaded.value > 0) throw new Error("The earlier entries are loading. Try again when they are there.");
  const audit = await handle.audit().catch((error: unknown): readonly AuditEntry[] | undefined => {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  });
  const text = writeExported({ exportedAt: serverNow(), run, journal: journal.entries.value, audit });
  saveFile(new Blob([text], { type: "application/json" }), id, "json");
}
