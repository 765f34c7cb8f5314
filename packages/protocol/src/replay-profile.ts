/**
 * The numbers that determine the order of a replay. A run never changes them (REP8).
 *
 * Owns: the constants of the replay scheduler, and the flags that change them. `replay-flags.ts` states why each flag
 * exists; the engine needs only this file.
 *
 * Invariants
 * - F1 A run without flags has profile 0. Profile 0 and the change of a released flag never change again.
 */

/** The constants of the replay scheduler for a run. */
export interface ReplayProfile {
  /** The microtasks that the function gets after an outcome in a plain sequence of operations. */
  readonly shortTicks: number;
  /** The microtasks within which a step body counts as ended at once. The outcome of a longer body is `quiet`. */
  readonly atOnceTicks: number;
  /** After this many short pauses in a row the scheduler waits for a whole turn of the event loop (CAN1). */
  readonly shortInARowMax: number;
  /** A wait that is due when it opens ends in the same commit; without it the alarm ends it. */
  readonly dueWaitsEndAtOnce: boolean;
  /** A negative number as the duration of a wait is 0; without it the call throws. */
  readonly negativeIsPast: boolean;
  /** A pattern that no payload can match throws; without it the wait never ends. */
  readonly patternsAreChecked: boolean;
  /** The first use takes the wait that a call opened; without it a wait and each loop over it share its delivery. */
  readonly waitsAreUsedOnce: boolean;
  /** A stopped run executes its clean-up code before it ends; without it a run with nothing to compensate ends at once. */
  readonly cleansUp: boolean;
  /** Random numbers and ids come from a cipher that the run's seed keys; without it they can be predicted. */
  readonly randomnessIsKeyed: boolean;
}

/** The behaviour of runs without flags. */
export const PROFILE_0: ReplayProfile = {
  shortTicks: 24,
  atOnceTicks: 10,
  shortInARowMax: 256,
  dueWaitsEndAtOnce: false,
  negativeIsPast: false,
  patternsAreChecked: false,
  waitsAreUsedOnce: false,
  cleansUp: false,
  randomnessIsKeyed: false,
};

/** The changes by flags, by the number of the flag. */
export type ReplayChanges = Readonly<Record<number, Partial<ReplayProfile>>>;

const CHANGES: ReplayChanges = {
  1: {},
  2: { dueWaitsEndAtOnce: true, negativeIsPast: true },
  3: { patternsAreChecked: true },
  4: { waitsAreUsedOnce: true },
  8: { cleansUp: true },
  9: { randomnessIsKeyed: true },
};

/** The flags of a new run. */
export const NEWEST_FLAGS: readonly number[] = [1, 2, 3, 4, 8, 9];

/**
 * Returns the behaviour of a run with these flags; `undefined` if a flag is unknown, because newer code made the run.
 * @param changes The changes by flags; tests pass others.
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
