/**
 * The faults between the parts of a world in memory.
 *
 * Owns: the kinds of faults. A test or the simulator decides for each message or event whether a fault happens.
 */
import { type ErrorValue, errorValue } from "@holdfast/protocol";
import { JOURNAL_PREFIX, type WriteBatch } from "@holdfast/orchestrator";
import type { VirtualClock } from "../virtual-clock.ts";

/** Each function is called for each occurrence. It returns the fault, or `undefined` for none. */
export interface Faults {
  /** Whether the step handler cannot be asked for the description of a workflow: at a trigger, or by an undescribed run. */
  undescribed?(): boolean;
  /** A message to another run. */
  message?(): MessageFault | undefined;
  /** A row for the index of runs. */
  index?(): MessageFault | undefined;
  /** An alarm fires. */
  alarm?(): AlarmFault | undefined;
  /** An execution starts. */
  start?(): StartFault | undefined;
  /** An execution of this run became silent. */
  silent?(run: { readonly runId: string }): void;
  /** Whether the execution is remote: each message to or from it takes a turn of the event loop. */
  remote?(): boolean;
}

export type MessageFault = "lost" | "twice" | "late" | "answer lost";

/** The platform calls the handler twice, 1 ms before the time, seconds after it, or never. */
export type AlarmFault = "twice" | "early" | "late" | "lost";

export interface StartFault {
  /** The number of reports after which the execution is silent: it died, or hangs. */
  readonly afterReports: number;
  /**
   * Time until the dispatcher detects the silence, ms. `"never"`: only the pings of the orchestrator detect it (DUR11). An
   * execution in the orchestrator's own process is detected after `DETECTED_MS`.
   */
  readonly detectedAfterMs: number | "never";
  /** What the dispatcher reports then. Default: the step handler cannot be reached. */
  readonly loss?: Loss;
}

/** How an execution can be lost, by the code that its dispatcher reports. */
export type Loss = "DISPATCH_FAILED" | "SESSION_LOST" | "EXECUTOR_CRASHED" | "STICKY_ROUTING_REQUIRED";

export const DETECTED_MS = 20_000;

/** Thrown by the store at a simulated crash: its caller gets no result of the commit. */
export class SimulatedCrash extends Error {}

/** Thrown by the store when a commit fails: nothing is stored, and the process continues. */
export class CommitFailed extends Error {}

/** The delay of the next alarm after an alarm whose commit failed, ms. */
export const ALARM_RETRY_MS = 5_000;

export function lossOf(loss: Loss = "DISPATCH_FAILED"): ErrorValue {
  return errorValue(loss, "The executor died.");
}

/** The delay of a late message or alarm, ms. */
export const LATE_MS = 3_000;

/** Waits for the delay of a late message. */
export function lateBy(clock: VirtualClock): Promise<void> {
  return new Promise((resolve) => clock.setTimer(LATE_MS, resolve));
}

/** Whether a run crashes after a commit. `crashAfter`: the numbers of commits, or every write to the journal. */
export function crashesAfter(
  crashAfter: readonly number[] | "journal-writes" | undefined,
  { puts }: WriteBatch,
  commits: number,
): boolean {
  if (crashAfter !== "journal-writes") return crashAfter?.includes(commits) === true;
  return [...puts.keys()].some((key) => key.startsWith(JOURNAL_PREFIX));
}
