/**
 * Oracle on the replay flags of a run (REP8).
 */
import type { ObservedRun } from "./observed-run.ts";

/** The replay flags of a run never change, and every execution receives them (REP8). */
export function checkFlags({ host: { header, starts }, flags: given }: ObservedRun): string[] {
  const [stored, newest] = [header.flags, given].map((flags) => JSON.stringify(flags));
  const others = starts.map(({ flags }) => JSON.stringify(flags)).filter((flags) => flags !== newest);
  if (stored === newest && others.length === 0) return [];
  return [`has the flags ${stored}, and executions with ${others.join(" and ")}, but was created with ${newest}`];
}
