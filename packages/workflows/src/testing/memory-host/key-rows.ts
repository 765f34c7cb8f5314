/**
 * The rows that map idempotency keys to runs with chosen ids, in the stores of a world.
 *
 * Owns: reading and writing the rows, and what is deleted with a run. The orchestrator decides (RUN2).
 */
import {
  type IndexRow,
  type KeyDecision,
  RESERVED_KEY,
  type Reply,
  type ReservedRow,
  type RunHeader,
  erasureOf,
  isReleased,
  reserveKey,
  takenKeyProblem,
} from "@holdfast/orchestrator";
import type { MemoryStore } from "./memory-store.ts";

/** An object in memory. */
interface KeyObject {
  readonly store: MemoryStore;
  /** Whether it has a run. */
  readonly triggered: boolean;
  readonly runId: string;
}

export function keyRowOf({ store }: KeyObject): ReservedRow | undefined {
  // A cast: only this file writes the row.
  return store.get(RESERVED_KEY) as ReservedRow | undefined;
}

/** Reserves the key of this object for a run. */
export function reserveIn(object: KeyObject, runId: string): KeyDecision {
  const runHere = object.triggered ? object.runId : undefined;
  const decided = reserveKey(keyRowOf(object), { runId, runHere });
  if (decided.put !== undefined) {
    object.store.commit({ puts: new Map([[RESERVED_KEY, decided.put]]), deletes: new Set() });
  }
  return decided;
}

/** Releases the key of this object, if it belongs to the run. */
export function releaseIn(object: KeyObject | undefined, runId: string): void {
  if (object === undefined || !isReleased(keyRowOf(object), runId)) return;
  object.store.commit({ puts: new Map(), deletes: new Set([RESERVED_KEY]) });
}

/** The refusal of a trigger whose key belongs to another run. */
export function refuseTaken(decided: KeyDecision): Reply {
  return { type: "refused", code: "idempotency_conflict", message: takenKeyProblem(decided) };
}

/** Deletes a run that has ended: its row of the index, its key and its rows. */
export function eraseRun(
  header: RunHeader,
  index: Map<string, IndexRow> | undefined,
  store: MemoryStore,
  objectOf: (keyId: string) => KeyObject | undefined,
): void {
  for (const write of erasureOf(header)) {
    if (write.type === "remove from the index") index?.delete(header.id);
    else if (write.type === "release the key") releaseIn(objectOf(write.keyId), header.id);
    else if (write.type === "delete the rows") store.clear();
  }
}
