/**
 * Undoing: from the turn backwards to the end of the run.
 *
 * Owns: COMP1 and COMP3 as far as the orchestrator decides them: what is still heard while a run is undone, and how it
 * ends. The execution knows the closures and executes them, as operations of kind `compensation`, in its own order.
 */
import {
  type ErrorValue,
  type JournalEntry,
  type OperationEvents,
  type OperationId,
  type RunStatus,
  UNWIND,
  operationId,
  parseOperationId,
} from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { RunError, RunHeader, Undone } from "./run-header.ts";
import { knowOperations } from "./run-state.ts";
import { JOURNAL_PREFIX } from "./store.ts";

/** The operation that undoes a step. */
export function compensationOf(step: OperationId): OperationId {
  const { occurrence, name } = parseOperationId(step);
  return operationId("compensation", occurrence, name);
}

/** Whether an event about this operation still counts while the run is undone: what the code did is over (CAN1). */
export function isHeardWhileUnwinding(op: OperationId): boolean {
  return parseOperationId(op).kind === "compensation";
}

/** The function failed or asked to be undone: the run turns backwards (COMP1). */
export function beginUnwinding(
  draft: Draft,
  event: OperationEvents & { type: "run.unwinding" },
  error: RunError,
): void {
  const { cause, nth } = event;
  draft.append({ type: "run.unwinding", op: UNWIND, cause, error: event.error }, nth);
  draft.cancelChildren();
  const kept = cause === "request" ? undefined : error;
  draft.change({ unwinding: { cause, error }, error: kept, waits: [], deadlineAt: undefined });
}

/** The error for which a run is undone; `undefined`: it was asked for, or is not undone. */
export function causeOf({ unwinding }: RunHeader): RunError | undefined {
  return unwinding?.cause === "request" ? undefined : unwinding?.error;
}

/** All compensations were executed, as far as they could be (COMP3). */
export function endUnwound(draft: Draft): void {
  const { unwinding } = draft.header;
  if (unwinding === undefined) return;
  const uncompensated = findUndone(draft);
  const anything = [...knowOperations(draft.state).keys()].some(isHeardWhileUnwinding);
  const status = statusOf(unwinding.cause, anything || draft.entries.some((entry) => isHeardWhileUnwinding(entry.op)));
  if (uncompensated.length > 0) draft.end("compensation_failed", { uncompensated });
  else draft.end(status, {});
}

function statusOf(cause: "failure" | "cancel" | "timeout" | "request", anythingUndone: boolean): RunStatus {
  if (cause === "cancel") return "cancelled";
  if (cause === "request") return "compensated";
  return anythingUndone ? "compensated" : "failed";
}

/** The steps whose compensation failed for good, with their errors. */
function findUndone(draft: Draft): Undone[] {
  const stored = [...draft.state.store.list(JOURNAL_PREFIX)].map(([, row]) => row as JournalEntry);
  return [...stored, ...draft.entries].flatMap((entry): Undone[] => {
    if (entry.type !== "step.failed" || !isHeardWhileUnwinding(entry.op)) return [];
    const { occurrence, name } = parseOperationId(entry.op);
    return [{ op: operationId("step", occurrence, name), error: entry.error satisfies ErrorValue }];
  });
}
