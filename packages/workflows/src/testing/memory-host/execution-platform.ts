/**
 * What an execution in memory runs on: virtual time, ids by number, log lines in a list.
 *
 * Owns: that two runs of one world never get the same id, and that the same program gets the same ids again.
 */
import { type Platform, webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";

export interface ExecutionPlatformOptions {
  readonly clock: VirtualClock;
  /** The run's place among the runs of its world. */
  readonly runNumber: number;
  readonly logged: Readonly<Record<string, unknown>>[];
  readonly replaceBody: Platform["replaceBody"];
  readonly replayFlags: Platform["replayFlags"];
  /** The execution takes a turn of the event loop. */
  readonly moved: () => void;
}

/** Returns platforms for the executions of one run. */
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
  });
}
