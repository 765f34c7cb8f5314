/**
 * The progress of a run.
 *
 * Owns: its two signs, pending messages and a text that changes with each progress.
 */
import type { MemoryHost } from "@holdfast/workflows/testing";

/** Whether a message to another run, or an index update, is pending. */
export function hasPendingMessages({ header }: MemoryHost): boolean {
  return header.outbox.count > 0 || header.index?.owed !== undefined;
}

/** Returns a text that changes with each progress of a run. */
export function progressOf({ journal, header, crashes }: MemoryHost): string {
  return `${crashes} ${journal.length} ${header.status} ${header.outbox.count} ${header.index?.owed?.failures}`;
}
