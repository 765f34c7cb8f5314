/**
 * What may go wrong between the parts of a world in memory.
 *
 * Owns: the kinds of faults. A test or the simulator decides, at each occasion, whether one happens.
 */
import { errorValue } from "@holdfast/protocol";
import type { VirtualClock } from "../virtual-clock.ts";

/** Asked at each occasion; `undefined`: no fault this time. */
export interface Faults {
  /** A message to another run. */
  message?(): MessageFault | undefined;
  /** A row for the index of runs. */
  index?(): MessageFault | undefined;
  /** An alarm fires. */
  alarm?(): "twice" | undefined;
  /** An execution begins. */
  start?(): StartFault | undefined;
  /** An execution of this run has gone silent. */
  silent?(run: { readonly runId: string }): void;
  /** Whether a pipe lies between this execution and its orchestrator, on which everything takes turns of the loop. */
  remote?(): boolean;
}

export type MessageFault = "lost" | "twice" | "late" | "answer lost";

export interface StartFault {
  /** The execution is silent after so many reports: it died, or hangs. */
  readonly afterReports: number;
  /** When the dispatcher notices, ms later. */
  readonly noticedAfterMs: number;
}

/** What the store throws where a crash was asked for: the commit has happened, its caller never learns. */
export class SimulatedCrash extends Error {}

export const EXECUTOR_DIED: ReturnType<typeof errorValue> = errorValue("DISPATCH_FAILED", "The executor went away.");

/** How long a late message takes, ms. */
const LATE_MS = 3_000;

/** Resolves when a late message arrives. */
export function lateBy(clock: VirtualClock): Promise<void> {
  return new Promise((resolve) => clock.setTimer(LATE_MS, resolve));
}
