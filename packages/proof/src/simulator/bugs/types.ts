/** The form of a deliberate bug. */
import type { WriteBatch } from "@holdfast/orchestrator";
import type { MemoryStore, Tampering } from "@holdfast/workflows/testing";

export interface Bug extends Tampering {
  /** Changes the store of each run before its first commit. */
  readonly prepare?: (store: MemoryStore) => void;
  /** Changes the store after a commit. */
  readonly stored?: (store: MemoryStore, batch: WriteBatch) => void;
}
