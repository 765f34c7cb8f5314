/**
 * The checks of what an execution sends, whatever pipe or dispatcher it comes through (SEC10).
 *
 * Owns: the checks of a report, of the error of a loss, and of the list of executing bodies. Nothing of an invalid message
 * is stored. After an invalid report or error the run is paused with the path of the field: the same code would send the
 * same again.
 */
import {
  type ErrorValue,
  type ExecutionEvent,
  type ExecutionReport,
  type StepInProgress,
  errorValue,
} from "@holdfast/protocol";
import { type Problem, describeProblem, toOrchestrator } from "@holdfast/protocol/messages";

/**
 * Describes what is wrong with a report; `undefined`: nothing. Values that crossed a pipe are decoded; an inline execution
 * has encoded them with the same codec. `from`: the epoch of the execution whose port received it.
 */
export function problemOfReport(report: ExecutionReport, from?: number): string | undefined {
  // The field `remote` of an unchecked report may be anything.
  const decode = Object(report).remote !== undefined;
  const problem = toOrchestrator.report(report, decode) ?? problemOfEpoch(report, from);
  return problem && describeProblem("report", problem);
}

function problemOfEpoch({ epoch }: ExecutionReport, from = epoch): Problem | undefined {
  return epoch === from ? undefined : { path: "epoch", must: `must be ${from}, as in the start of the execution` };
}

/** Returns the events of a checked report without the fields that this version does not know. */
export function knownEvents(report: ExecutionReport): readonly ExecutionEvent[] {
  return toOrchestrator.knownEvents(report);
}

/** Returns the bodies that an execution lists; none if the list is invalid: it is shown to readers only. */
export function checkedSteps(steps: readonly StepInProgress[]): readonly StepInProgress[] {
  return toOrchestrator.stepsInProgress(steps, false) === undefined ? steps : [];
}

/** Returns the error of a loss, or one that says what is wrong with it. */
export function checkedLoss(error: ErrorValue): ErrorValue {
  const problem = toOrchestrator.lost(error, true);
  return problem === undefined
    ? toOrchestrator.knownError(error)
    : errorValue("PROTOCOL_MISMATCH", invalidMessage(describeProblem("error", problem)));
}

/** The message of the error with which a run is paused. */
export function invalidMessage(problem: string): string {
  return `The step handler sent an invalid message: ${problem}. Nothing of it was stored. Correct the step handler, or deploy matching versions of both sides; then retry the run.`;
}
