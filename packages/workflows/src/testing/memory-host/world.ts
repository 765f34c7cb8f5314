/**
 * The runs of one world in memory, which share a clock.
 *
 * Owns: running all of them until they are idle, and the choice of the next timer or alarm.
 */
import { webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Agenda } from "./agenda.ts";

/**
 * The limit of `settle`: a run that is still active after this many turns is in a loop. The limit exceeds the turns of a
 * full journal of sleeps without time.
 */
const TURNS_MAX = 50_000;

/** Runs everything in the world that needs no virtual time. */
export async function settle(agenda: Agenda): Promise<void> {
  let idleTurns = 0;
  for (let turns = 0; idleTurns < 3; turns++) {
    if (turns > TURNS_MAX)
      throw new Error("the run did not become idle: it keeps writing although virtual time does not advance");
    const before = agenda.activity;
    await webPlatform.turn();
    idleTurns = agenda.activity === before && agenda.isDurable() ? idleTurns + 1 : 0;
  }
}

/** Fires the next timer or alarm of any run, then settles the world. Resolves with false if none is due by `until`. */
export async function next(agenda: Agenda, clock: VirtualClock, until: number): Promise<boolean> {
  const alarm = agenda.next();
  const timer = clock.nextAt ?? Infinity;
  const at = Math.min(alarm?.at ?? Infinity, timer);
  if (at > until || at === Infinity) return false;
  if (alarm !== undefined && alarm.at <= timer) alarm.object.fireAlarm();
  else clock.runNext();
  await settle(agenda);
  return true;
}
