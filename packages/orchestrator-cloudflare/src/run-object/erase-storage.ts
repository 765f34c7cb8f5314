/**
 * The deletion of everything that an object has stored.
 *
 * Owns: the order of the deletions, and that nothing is left: on a disk, a table of the platform would keep a file (SEC8).
 */
import type { DurableObjectStorageLike } from "../platform-types.ts";

/** An alarm without rows does nothing. Rows without an alarm would not expire, so the alarm is not deleted before them. */
export async function eraseStorage(storage: DurableObjectStorageLike): Promise<void> {
  await storage.deleteAll();
  // With compatibility dates before 2026-02-24 the alarm stays. Its deletion leaves a row.
  if ((await storage.getAlarm()) === null) return;
  await storage.deleteAlarm();
  await storage.deleteAll();
}
