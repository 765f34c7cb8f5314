/**
 * Translates the end of the function into an event for the orchestrator.
 *
 * Owns: the search for the step whose failure ended the run (RES1). Also owns the rule that a schema which accepted the
 * input at the start of the run, and rejects it later, counts as a change of code (REP5).
 */
import {
  type ExecutionEvent,
  type ExecutionStart,
  type OperationId,
  defined,
  errorValue,
  readProperty,
  toErrorValue,
} from "@holdfast/protocol";
import { isInputRefusal } from "./input-refusal.ts";
import type { UnwindRequest } from "./operation.ts";

export type FunctionEnd =
  | { readonly type: "completed"; readonly output: string }
  | { readonly type: "failed"; readonly error: unknown }
  /** It called `ctx.compensate()`, or did not end in time after a cancel: its later operations are ignored. */
  | { readonly type: "left" };

/** Returns the request to unwind the run after a failure (COMP1). */
export function unwindRequest(error: unknown, stepOf: (error: object) => OperationId | undefined): UnwindRequest {
  return defined({ cause: "failure", error: toErrorValue(error), step: findStep(error, stepOf, 0) });
}

export function endEvent(
  end: FunctionEnd,
  start: ExecutionStart,
  stepOf: (error: object) => OperationId | undefined,
): ExecutionEvent {
  if (end.type === "completed") return { type: "run.completed", output: end.output };
  if (end.type === "left") return { type: "run.unwound" };
  const error = toErrorValue(end.error);
  if (isInputRefusal(end.error) && start.journal.length > 0 && start.epoch > 1) {
    const message = `The workflow's schema no longer accepts the run's input. ${error.message} Deploy a schema that accepts it, then retry the run.`;
    return { type: "run.diverged", error: errorValue("NON_DETERMINISM", message) };
  }
  return defined({ type: "run.failed", error, step: findStep(end.error, stepOf, 0) });
}

/** Searches causes and aggregated errors to a bounded depth. */
function findStep(
  error: unknown,
  stepOf: (error: object) => OperationId | undefined,
  depth: number,
): OperationId | undefined {
  if (typeof error !== "object" || error === null || depth > 8) return undefined;
  const step = stepOf(error);
  if (step !== undefined) return step;
  const [cause, errors] = [readProperty(error, "cause"), readProperty(error, "errors")];
  for (const inner of [cause, ...(Array.isArray(errors) ? errors.slice(0, 100) : [])]) {
    const found = findStep(inner, stepOf, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
