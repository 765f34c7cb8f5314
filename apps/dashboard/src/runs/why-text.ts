/**
 * One line for the first reason of a run in the list.
 *
 * Owns: the short texts. The page of the run has the whole reasons.
 */
const TEXTS: Readonly<Record<string, string>> = {
  NEWER_FORMAT: "Needs a newer release",
  PAUSED_BY_OPERATOR: "Paused by an operator",
  PAUSED_BY_ENGINE: "Paused because of an error",
  HELD: "The deployment is held",
  DISPATCH_FAILING: "Its code cannot be reached",
  HANDLER_SILENT: "Its code does not answer",
  EXECUTION_LOST: "Lost its execution, continues soon",
  EXECUTIONS_MAX: "Waits for a place to execute",
  WAITING_FOR_LIMIT: "Waits for a limit",
  RATE_LIMITED: "A rate admits it later",
  WAITING_FOR_NOTHING: "Awaits something that nothing ends",
  COMPENSATION_RETRYING: "A compensation failed, tries again",
  STEP_RETRYING: "A step failed, tries again",
  WAITING_FOR_TOKEN: "Waits for the answer to a token",
  WAITING_FOR_SIGNAL: "Waits for a signal",
  WAITING_FOR_EVENT: "Waits for an event",
  WAITING_FOR_TOPIC: "Waits for an event with a key",
  CHILD_STARTING: "Starts a child",
  WAITING_FOR_CHILD: "Waits for a child",
  COMPENSATION_EXECUTING: "Compensates a step",
  STEP_EXECUTING: "Executes a step",
  STREAM_EXECUTING: "Writes a stream",
  CLEANING_UP: "Cleans up",
  UNWINDING: "Compensates its steps",
  DELAYED: "Starts later",
  SLEEPING: "Sleeps",
  EXECUTING: "Executes",
};

/** Returns nothing for codes that only repeat the status. */
export function whyText(code: string): string {
  return TEXTS[code] ?? "";
}
