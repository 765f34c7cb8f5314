/**
 * The message for code that no longer asks for what the journal holds (REP5).
 */
import {
  type ErrorValue,
  type JournalEntry,
  type OperationId,
  describeOperation,
  errorValue,
} from "@holdfast/protocol";

/** `asked`: what the function asked for, in order. `ended`: it has returned or thrown already. */
export function divergence(entry: JournalEntry, asked: readonly OperationId[], ended: boolean): ErrorValue {
  const instead = asked[entry.nth - 1];
  const recorded = `the journal (entry ${entry.seq}) holds ${describeOperation(entry.op)} as operation no. ${entry.nth}`;
  const now =
    instead === undefined
      ? ended
        ? `the code ended after ${asked.length} operations`
        : `the code asked for ${asked.length} operations and has waited for something that is not an operation since`
      : `the code now asks for ${describeOperation(instead)} in its place`;
  return errorValue(
    "NON_DETERMINISM",
    `The workflow's code no longer matches what this run has done: ${recorded}, but ${now}. The run is paused and its journal is as it was. Usual causes: the code was changed while the run was under way (an operation added, removed, renamed or moved), or it decides by something that differs between replays (Date.now, Math.random, a global, a database read outside a step). Deploy code that asks for the same operations, then retry the run.`,
  );
}
