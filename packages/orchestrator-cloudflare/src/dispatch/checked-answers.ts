/**
 * The checks of what a step handler sends over a pipe (SEC10).
 *
 * Owns: the answers to turns, and the list of workflows. The reports in them are checked where they are committed, the
 * same for each pipe.
 */
import type { TurnAnswer, WorkflowsAnswer } from "@holdfast/protocol";
import { describeProblem, isRecord, toOrchestrator } from "@holdfast/protocol/messages";
import { PipeError } from "./pipe-error.ts";

/**
 * Checks an answer to a turn (SEC10). The report in it is checked where it is committed.
 * @throws PipeError final if the answer is invalid. One that does not name the session is not the handler's: a proxy made it.
 */
export function checkAnswer(answer: unknown, session: string, name: string): TurnAnswer {
  if (!isRecord(answer) || answer["session"] !== session)
    throw new PipeError(`${name} sent an answer for another session, or none of a step handler`);
  const problem = toOrchestrator.turnEnvelope(answer, true) ?? toOrchestrator.turnContent(answer, true);
  if (problem !== undefined) throw invalidMessage(describeProblem("answer", problem));
  // A cast: the schemas have accepted it.
  return answer as unknown as TurnAnswer;
}

/** The failure of an exchange in which the other side sent an invalid message: the run is paused with it. */
export function invalidMessage(problem: string): PipeError {
  return new PipeError(
    `The step handler sent an invalid message: ${problem}. Correct the step handler, or deploy matching versions of both sides; then retry the run.`,
    "PROTOCOL_MISMATCH",
  );
}

/** @throws PipeError final if it is not a list of workflows. */
export function checkWorkflows(answer: unknown): WorkflowsAnswer {
  const problem = toOrchestrator.workflowsAnswer(answer, true);
  if (problem !== undefined) throw invalidMessage(describeProblem("answer", problem));
  // A cast: the schema has accepted it.
  return answer as WorkflowsAnswer;
}
