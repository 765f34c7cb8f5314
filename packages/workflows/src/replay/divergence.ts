/**
 * The message for code that no longer requests the journaled operations (REP5).
 */
import {
  type ErrorValue,
  type JournalEntry,
  type OperationId,
  describeOperation,
  errorValue,
} from "@holdfast/protocol";

/** `requested`: the function's operations, in order. `ended`: the function has returned or thrown. */
export function divergence(entry: JournalEntry, requested: readonly OperationId[], ended: boolean): ErrorValue {
  const instead = requested[entry.nth - 1];
  const recorded = `the journal (entry ${entry.seq}) holds ${describeOperation(entry.op)} as operation no. ${entry.nth}`;
  const now =
    instead === undefined
      ? ended
        ? `the code ended after ${requested.length} operations`
        : `the code requested ${requested.length} operations and now awaits something that is not an operation`
      : `the code now requests ${describeOperation(instead)} in its place`;
  return errorValue(
    "NON_DETERMINISM",
    `The workflow's code no longer matches what this run has done: ${recorded}, but ${now}. The run is paused and its journal is unchanged. Usual causes: the code was changed while the run was in flight (an operation added, removed, renamed or moved), or it decides by a value that differs between replays (Date.now, Math.random, a global, a database read outside a step). Deploy code that requests the same operations, then retry the run.`,
  );
}
