/**
 * Builds whose declarations do not apply, because an earlier one is served again.
 *
 * Owns: the range of their revs, and whether a rev is in it. The list of schedules, the list of limits and each gate store it.
 */

/** The revs above `above`, up to `until`, are void. */
export interface VoidRevs {
  /** The rev of the build that is served. */
  readonly above: number;
  readonly until: number;
}

export function isVoid(rev: number, revs: VoidRevs | undefined): boolean {
  return revs !== undefined && rev > revs.above && rev <= revs.until;
}
