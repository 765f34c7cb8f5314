/**
 * The rate of a limit: the generic cell rate algorithm (GCRA), which needs one number.
 *
 * Owns: the reservation of starts. In any time of `perMs` at most `limit + burst` starts are reserved. A reservation is final:
 * the start of a run that is cancelled before it is lost.
 */
import type { GateSettings } from "./messages.ts";

export interface Reservation {
  /** When the run may start, ms since 1970. At most `now`: at once. */
  readonly startAt: number;
  /** `GateHeader.tat` after this reservation. */
  readonly tat: number;
}

/** Reserves the next start. `tat`: when the next start is due in an even flow, ms since 1970. */
export function reserve(
  { limit, perMs, burst }: NonNullable<GateSettings["rate"]>,
  tat: number | undefined,
  now: number,
): Reservation {
  const interval = perMs / limit;
  const due = Math.max(tat ?? now, now);
  return { startAt: Math.max(now, Math.ceil(due - burst * interval)), tat: due + interval };
}
