/**
 * What decides an order on replay, as numbers that a run keeps for its whole life (REP8).
 *
 * Owns: the constants of the replay scheduler, and which flags change them. `replay-flags.ts` says why each flag exists;
 * the engine needs only this file.
 *
 * Invariants
 * - F1 A run without flags has profile 0. Profile 0 and the change of a released flag never change again.
 */

/** One behaviour of the replay scheduler. */
export interface ReplayProfile {
  /** Microtasks that a plain sequence of operations gets between an outcome and what follows. */
  readonly shortTicks: number;
  /** Microtasks within which a step body ends at once; a body that takes longer is marked late. */
  readonly atOnceTicks: number;
  /** After this many short pauses in a row the scheduler waits for a whole turn of the event loop (CAN1). */
  readonly shortInARowMax: number;
}

/** The behaviour that runs without flags have. */
export const PROFILE_0: ReplayProfile = { shortTicks: 24, atOnceTicks: 10, shortInARowMax: 256 };

/** What flags change, by their number. */
export type ReplayChanges = Readonly<Record<number, Partial<ReplayProfile>>>;

const CHANGES: ReplayChanges = { 1: {} };

/** The flags that a new run gets. */
export const NEWEST_FLAGS: readonly number[] = [1];

/**
 * The behaviour that a run with these flags has; `undefined` if a flag is unknown: newer code made the run.
 * `changes`: for tests.
 */
export function profileOf(flags: readonly number[], changes: ReplayChanges = CHANGES): ReplayProfile | undefined {
  const profile: ReplayProfile = { ...PROFILE_0 };
  for (const flag of flags) {
    const change = changes[flag];
    if (change === undefined) return undefined;
    Object.assign(profile, change);
  }
  return profile;
}
