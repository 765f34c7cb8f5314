/**
 * The progress of a run.
 *
 * Owns: its two signs: what is left to do, and a text that changes with each progress.
 */
import type { MemoryHost } from "@holdfast/workflows/testing";

/** Whether something is left to do: code, a message to another run, an index update, or a deletion. */
export function isOpen({ ended, header }: MemoryHost): boolean {
  return !ended || header.outbox.count > 0 || header.index?.owed !== undefined || header.expiresAt !== undefined;
}

/** Returns a text that changes with each progress of a run. */
export function progressOf({ journal, header, crashes }: MemoryHost): string {
  return `${crashes} ${journal.length} ${header.status} ${header.outbox.count} ${header.index?.owed?.failures}`;
}
