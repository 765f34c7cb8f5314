/**
 * The runs of one world in memory, which share a clock.
 *
 * Owns: letting all of them go as far as they can, and which timer or alarm is next.
 */
import { webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";

/** A run, as its world sees it. */
export interface WorldRun {
  readonly store: { readonly alarm: number | null };
  /** Grows whenever something happens to the run. */
  readonly activity: number;
  fireAlarm(): void;
}

/** Bounds `settle`: a run that still moves after so many turns of the event loop is stuck in a loop. */
const TURNS_MAX = 2_000;

/** Lets all runs of the world go as far as they can without time passing. */
export async function settle(world: ReadonlyMap<string, WorldRun>): Promise<void> {
  let quiet = 0;
  for (let turns = 0; quiet < 3; turns++) {
    if (turns > TURNS_MAX) throw new Error("the run did not settle: it keeps writing without time passing");
    const before = activityOf(world);
    await webPlatform.turn();
    quiet = activityOf(world) === before ? quiet + 1 : 0;
  }
}

/** Fires the next timer or alarm of any run, and lets the world settle. False: there is none by `until`. */
export async function next(world: ReadonlyMap<string, WorldRun>, clock: VirtualClock, until: number): Promise<boolean> {
  const run = nextAlarmed(world);
  const alarm = run?.store.alarm ?? Infinity;
  const timer = clock.nextAt ?? Infinity;
  const at = Math.min(alarm, timer);
  if (at > until || at === Infinity) return false;
  if (alarm <= timer) run?.fireAlarm();
  else clock.runNext();
  await settle(world);
  return true;
}

function activityOf(world: ReadonlyMap<string, WorldRun>): number {
  let activity = world.size;
  for (const run of world.values()) activity += run.activity;
  return activity;
}

/** The run whose alarm is next. */
function nextAlarmed(world: ReadonlyMap<string, WorldRun>): WorldRun | undefined {
  let found: WorldRun | undefined;
  for (const run of world.values()) {
    const { alarm } = run.store;
    if (alarm !== null && (found === undefined || alarm < (found.store.alarm ?? Infinity))) found = run;
  }
  return found;
}
