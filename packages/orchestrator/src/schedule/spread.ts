/**
 * The spread of a schedule: how long after its nominal time a tick fires (SCH3).
 *
 * Owns: the offset. It follows from the schedule's id, so it is the same for each tick and after each deploy.
 *
 * Invariants
 * - SP1 A tick fires before the nominal time of the next one, so ticks fire in the order of their times.
 */
import type { ScheduleConfig } from "./config.ts";
import { nextTime } from "./times/next-time.ts";

/** When the tick of the nominal time fires, ms since 1970. */
export function fireAtOf(
  { id, spread, times }: Pick<ScheduleConfig, "id" | "spread" | "times">,
  nominal: number,
): number {
  if (spread === undefined) return nominal;
  const next = nextTime(times, nominal);
  const gap = next === undefined ? Infinity : next - nominal;
  const window = "ms" in spread ? Math.min(spread.ms, gap) : gap === Infinity ? 0 : spread.share * gap;
  return nominal + Math.floor(fractionOf(id) * window);
}

/** A number from 0 to 1, without 1, that follows from the text: FNV-1a with a final mix. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
