/**
 * Errors of a run: what the record says about what the workflow's code threw.
 */
import type { ErrorValue, OperationId } from "@holdfast/protocol";
import type { RunError } from "./run-header.ts";

/** Its own code, else whether a step or the function threw. */
export function toRunError(error: ErrorValue, step: OperationId | undefined): RunError {
  const code = error.code ?? (step === undefined ? "WORKFLOW_FAILED" : "STEP_FAILED");
  const category = code === "STEP_INTERRUPTED" ? "RUNTIME_ERROR" : "USER_ERROR";
  return { ...error, code, category, ...(step === undefined ? {} : { step }) };
}

/** Without what is this run's own: which step it was, and who is at fault. */
export function plainError(error: ErrorValue & Partial<RunError>): ErrorValue {
  const { step: _step, category: _category, ...plain } = error;
  return plain;
}
