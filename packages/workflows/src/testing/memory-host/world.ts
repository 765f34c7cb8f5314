/**
 * The runs of one world in memory, which share a clock.
 *
 * Owns: running all of them until they are idle, and the choice of the next timer or alarm.
 */
import { webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";

/** The parts of a run that its world uses. */
export interface WorldRun {
  /** `losable`: the number of commits that are not durable. */
  readonly store: { readonly alarm: number | null; readonly losable: number };
  /** Grows with each commit, message and turn of the run. */
  readonly activity: number;
  fireAlarm(): void;
}

/**
 * The limit of `settle`: a run that is still active after this many turns is in a loop. The limit exceeds the turns of a
 * full journal of sleeps without time.
 */
const TURNS_MAX = 50_000;

/** The objects of a world, by class. Objects may be added at any time. */
export type WorldObjects = readonly { readonly size: number; values(): Iterable<WorldRun> }[];

function* objectsOf(world: WorldObjects): Iterable<WorldRun> {
  for (const objects of world) yield* objects.values();
}

/** Runs everything in the world that needs no virtual time. */
export async function settle(world: WorldObjects): Promise<void> {
  let idleTurns = 0;
  for (let turns = 0; idleTurns < 3; turns++) {
    if (turns > TURNS_MAX)
      throw new Error("the run did not become idle: it keeps writing although virtual time does not advance");
    const before = activityOf(world);
    await webPlatform.turn();
    idleTurns = activityOf(world) === before && isDurable(world) ? idleTurns + 1 : 0;
  }
}

/** Fires the next timer or alarm of any run, then settles the world. Resolves with false if none is due by `until`. */
export async function next(world: WorldObjects, clock: VirtualClock, until: number): Promise<boolean> {
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

function isDurable(world: WorldObjects): boolean {
  for (const run of objectsOf(world)) if (run.store.losable > 0) return false;
  return true;
}

function activityOf(world: WorldObjects): number {
  let activity = world.reduce((sum, { size }) => sum + size, 0);
  for (const run of objectsOf(world)) activity += run.activity;
  return activity;
}

/** Returns the run with the earliest alarm. */
function nextAlarmed(world: WorldObjects): WorldRun | undefined {
  let found: WorldRun | undefined;
  for (const run of objectsOf(world)) {
    const { alarm } = run.store;
    if (alarm !== null && (found === undefined || alarm < (found.store.alarm ?? Infinity))) found = run;
  }
  return found;
}
