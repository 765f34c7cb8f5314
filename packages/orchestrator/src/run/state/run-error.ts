/**
 * Errors of a run: conversions from and to the errors that code throws.
 */
import type { ErrorValue, OperationId } from "@holdfast/protocol";
import type { RunError } from "./run-header.ts";

/** Completes an error of the workflow's code. Without a code it gets one for its origin: a step, or the function. */
export function toRunError(error: ErrorValue, step: OperationId | undefined): RunError {
  const code = error.code ?? (step === undefined ? "WORKFLOW_FAILED" : "STEP_FAILED");
  const category = code === "STEP_INTERRUPTED" ? "RUNTIME_ERROR" : "USER_ERROR";
  return { ...error, code, category, ...(step === undefined ? {} : { step }) };
}

/** Removes the fields that only this run may have: the step, the category, and the stack, for its operators (SEC4). */
export function plainError(error: ErrorValue & Partial<RunError>): ErrorValue {
  const { step: _step, category: _category, stack: _stack, ...plain } = error;
  return plain;
}
