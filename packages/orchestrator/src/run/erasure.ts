/**
 * The erasure of a run that has ended: by a request, or because its retention is over (VER3).
 *
 * Owns: when a run expires, and the order of the writes. The host performs them, and the next one only after the previous
 * one is durable.
 *
 * Invariants
 * - ER1 Each write may be repeated. The rows are deleted last: after a crash the run exists, and the request or the alarm
 *   repeats the erasure. So each listed run exists, and no key or payload outlives its run.
 */
import { expiryOf } from "./index-mark.ts";
import { keyObjectOf } from "./state/key-reservation.ts";
import type { RunHeader } from "./state/run-header.ts";

export type ErasureWrite =
  | { readonly type: "remove from the index" }
  /** The object with this id gives up the key, if it belongs to the run. */
  | { readonly type: "release the key"; readonly keyId: string }
  /** Rows outside of the object. */
  | { readonly type: "remove large rows" }
  /** Of everything in the object, and of its alarm. */
  | { readonly type: "delete the rows" };

/** Returns the writes that erase a run, in their order. */
export function erasureOf(header: RunHeader): readonly ErasureWrite[] {
  const keyId = keyObjectOf(header);
  return [
    { type: "remove from the index" },
    ...(keyId === undefined ? [] : [{ type: "release the key", keyId } as const]),
    { type: "remove large rows" },
    { type: "delete the rows" },
  ];
}

/** Whether the retention of a run is over, and nothing else keeps it. */
export function isExpired(header: RunHeader, now: number): boolean {
  return (expiryOf(header) ?? Infinity) <= now;
}
