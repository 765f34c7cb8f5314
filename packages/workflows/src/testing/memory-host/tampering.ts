/**
 * Changes to what the parts of a world in memory say to each other, for deliberate faults of the engine.
 *
 * Owns: the places where a test can make the engine wrong. The engine's code stays as it is.
 */
import type { RunMessage, transition } from "@holdfast/orchestrator";
import type { ExecutionReport, ExecutionStart, JournalEntry } from "@holdfast/protocol";

/** Each function gets what a correct engine says, and returns what is said instead. */
export interface Tampering {
  /** The start message of an execution. */
  start?(start: ExecutionStart): ExecutionStart;
  /** A later page of the journal that an execution reads. */
  page?(entries: readonly JournalEntry[]): readonly JournalEntry[];
  /** A report of a live execution. */
  report?(report: ExecutionReport): ExecutionReport;
  /** A report of an abandoned execution. `epoch`: the run's current epoch. */
  zombieReport?(report: ExecutionReport, epoch: number): ExecutionReport;
  /** The decisions of the orchestrator. */
  decide?(decide: typeof transition): typeof transition;
  /** A message to another run. */
  message?(message: RunMessage): RunMessage;
  /** Whether the orchestrator is not notified of an execution that was lost. */
  readonly hidesLosses?: boolean;
  /** Whether a deleted run forgets at once that it existed. */
  readonly forgetsDeletions?: boolean;
}
