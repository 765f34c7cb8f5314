/**
 * The platform of an execution in memory: virtual time, numbered ids, log lines in a list.
 *
 * Owns: the ids. Two runs of one world never get the same id, and a program that runs again gets the same ids.
 */
import { type Platform, webPlatform } from "../../replay/platform.ts";
import { guardRun, guardSignal } from "../../replay/unhandled-rejections.ts";
import type { VirtualClock } from "../virtual-clock.ts";

export interface ExecutionPlatformOptions {
  readonly clock: VirtualClock;
  /** The number of the run in its world. */
  readonly runNumber: number;
  readonly logged: Readonly<Record<string, unknown>>[];
  readonly replaceBody: Platform["replaceBody"];
  readonly replayFlags: Platform["replayFlags"];
  /** Called when the execution waits for a turn of the event loop. */
  readonly moved: () => void;
}

/** Returns a factory of platforms for the executions of one run. */
export function executionPlatforms(options: ExecutionPlatformOptions): () => Platform {
  const { clock, runNumber, logged, replaceBody, replayFlags, moved } = options;
  let ids = 0;
  const randomId = (): string => {
    ids += 1;
    return `${runNumber.toString(16)}f${ids.toString(16).padStart(8, "0")}`.padStart(32, "0");
  };
  return () => ({
    ...(replaceBody === undefined ? {} : { replaceBody }),
    ...(replayFlags === undefined ? {} : { replayFlags }),
    now: () => clock.now(),
    turn: () => {
      moved();
      return webPlatform.turn();
    },
    setTimer: (ms, fn) => clock.setTimer(ms, fn),
    randomId,
    log: (line) => logged.push(line),
    guardRejections: guardRun,
    guardSignal,
  });
}
