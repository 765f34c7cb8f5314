/**
 * Oracle on the end of a run: it is one that the reference semantics allow.
 */
import { ENCODED_UNDEFINED, decodeValue, isTerminal } from "@holdfast/protocol";
import { allows, canUndo } from "../reference.ts";
import type { ObservedRun } from "./observed-run.ts";

/** The run's outcome is one that the program allows. */
export function checkOutcome({
  host: { header, journal },
  program,
  cancelled,
  bounded,
  resumed,
  limited,
}: ObservedRun): string[] {
  const { status, output = ENCODED_UNDEFINED, error } = header;
  if (!isTerminal(status)) return [];
  // A resumed run refuses a once step that its parent may have executed (RES3). The program does not know this error.
  if (resumed && journal.some((entry) => entry.type === "step.failed" && entry.error.code === "STEP_INTERRUPTED"))
    return [];
  const how = { cancelled, limited };
  if (status === "completed") {
    const value = decodeValue(output);
    return allows(program, { value }, how)
      ? []
      : [`completed with ${JSON.stringify(value)}, which the program does not allow`];
  }
  if (error?.code === "TERMINATED") return status === "cancelled" ? [] : [`was terminated, but is ${status}`];
  const byCancel = error?.code === "CANCELLED" && cancelled;
  if (status === "cancelled") return byCancel ? [] : ["is cancelled, but no caller cancelled it"];
  const byTime = error?.code === "WORKFLOW_TIMEOUT" && bounded;
  const byLimit = error?.code === "LIMIT_EXCEEDED" && limited;
  const byRequest = error === undefined && canUndo(program) && status !== "failed";
  const byProgram = byRequest || allows(program, { error: error?.message ?? "" }, how);
  const byCancelAndCompensation = byCancel && status === "compensation_failed";
  return byTime || byLimit || byProgram || byCancelAndCompensation
    ? []
    : [`ended ${status} with ${JSON.stringify(error?.message)}, which the program does not allow`];
}
