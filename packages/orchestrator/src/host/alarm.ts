/**
 * The time that a store gives to the platform's alarm.
 *
 * Owns: the rule that no alarm is lost because of its time. Workerd ignores an alarm for the time of the alarm that it
 * handles: it clamps a past time to now, compares it with the alarm in flight, and schedules nothing if they are equal.
 *
 * Invariants
 * - A1 An alarm is never set at or before now, nor at the time of the alarm in flight (DUR5).
 */

/** What a store knows when it sets an alarm. */
export interface AlarmContext {
  /** Ms since the epoch. */
  readonly now: number;
  /** The time of the alarm that the platform handles or handled last; an alarm may fire early. */
  readonly inFlight: number | undefined;
}

/** The time to set, ms since the epoch, for a run that must be woken at `wanted`: at most 2 ms after `wanted` and now. */
export function alarmToSet(wanted: number, { now, inFlight }: AlarmContext): number {
  const at = Math.max(wanted, now + 1);
  return at === inFlight ? at + 1 : at;
}

/** Longer than any alarm is late on a platform that works. */
const LOST_AFTER_MS = 5_000;

/** Whether the platform has lost the alarm of an object: there is none, or it should have fired long ago (DUR5). */
export function isAlarmLost(stored: number | null, now: number): boolean {
  return stored === null || stored < now - LOST_AFTER_MS;
}
