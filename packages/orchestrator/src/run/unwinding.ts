/**
 * Unwinding: the phase of a run from the decision to compensate its steps to its end.
 *
 * Owns: the orchestrator's part of COMP1 and COMP3: the events that are accepted during this phase, and the status in which
 * the run ends. The execution has the functions that compensate steps. It executes them in its own order, as operations
 * of kind `compensation`.
 */
import {
  type JournalEntry,
  type OperationEvents,
  type OperationId,
  type RunStatus,
  UNWIND,
  operationId,
  parseOperationId,
} from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { cancelChildren, end } from "./lifecycle.ts";
import { JOURNAL_PREFIX, listRows } from "./state/rows.ts";
import type { RunError, RunHeader, Uncompensated } from "./state/run-header.ts";
import { knowOperations } from "./state/run-state.ts";

/** The operation that compensates a step. */
export function compensationOf(step: OperationId): OperationId {
  const { occurrence, name } = parseOperationId(step);
  return operationId("compensation", occurrence, name);
}

/** Whether events are accepted while the run unwinds: those of compensations and of shielded steps are (CAN1, CAN9). */
export function isAcceptedWhileUnwinding({ op, shielded }: OperationEvents): boolean {
  return isCompensation(op) || shielded === true;
}

export function isCompensation(op: OperationId): boolean {
  return parseOperationId(op).kind === "compensation";
}

/** Starts to unwind, because the function failed or requested compensation (COMP1). */
export function startUnwinding(
  draft: Draft,
  event: OperationEvents & { type: "run.unwinding" },
  error: RunError,
): void {
  const { cause, nth } = event;
  draft.append({ type: "run.unwinding", op: UNWIND, cause, error: event.error }, nth);
  cancelChildren(draft);
  draft.change({
    unwinding: { cause, error },
    error: cause === "request" ? undefined : error,
    waits: [],
    races: undefined,
    deadlineAt: undefined,
  });
}

/** The error because of which a run unwinds; `undefined`: the function requested it, or the run does not unwind. */
export function causeOf({ unwinding }: RunHeader): RunError | undefined {
  return unwinding?.cause === "request" ? undefined : unwinding?.error;
}

/** Ends the run after each compensation has completed or failed finally (COMP3). */
export function endUnwound(draft: Draft, more: Pick<RunHeader, "cleanup" | "error"> = {}): void {
  const { unwinding } = draft.header;
  if (unwinding === undefined) return;
  const uncompensated = findUncompensated(draft);
  const anything = [...knowOperations(draft.state).keys()].some(isCompensation);
  const status = statusOf(unwinding.cause, anything || draft.entries.some((entry) => isCompensation(entry.op)));
  if (uncompensated.length > 0) end(draft, "compensation_failed", { ...more, uncompensated });
  else end(draft, status, more);
}

function statusOf(cause: "failure" | "cancel" | "timeout" | "request", anyCompensation: boolean): RunStatus {
  if (cause === "cancel") return "cancelled";
  if (cause === "request") return "compensated";
  return anyCompensation ? "compensated" : "failed";
}

/** The steps whose compensation failed finally, with their errors. */
export function findUncompensated(draft: Draft): Uncompensated[] {
  const found: Uncompensated[] = [];
  const add = (entry: JournalEntry): void => {
    if (entry.type !== "step.failed" || !isCompensation(entry.op)) return;
    const { occurrence, name } = parseOperationId(entry.op);
    found.push({ op: operationId("step", occurrence, name), error: entry.error });
  };
  for (const [, entry] of listRows(draft.state.store, JOURNAL_PREFIX)) add(entry);
  for (const entry of draft.entries) add(entry);
  return found;
}
