/**
 * Termination: an operator ends a run that its own code cannot end.
 *
 * Owns: CAN8. The end is one commit and needs no executor, so it also ends a run that is paused, that unwinds, or whose
 * process hangs. Also owns the lists of what the run leaves: steps that are not undone, and bodies that were in flight.
 */
import {
  HOST_LIMITS,
  type OperationId,
  boundMessage,
  encodeValue,
  errorValue,
  isOutcome,
  parseOperationId,
} from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { end } from "./lifecycle.ts";
import { refuseEnded } from "./refusals.ts";
import { JOURNAL_PREFIX, listRows } from "./state/rows.ts";
import { compensationOf } from "./unwinding.ts";

/** Kinds of operations whose bodies have effects outside of the run. */
const HAS_BODY: ReadonlySet<string> = new Set(["step", "compensation", "stream"]);

export function terminate(draft: Draft, { reason }: Input & { type: "terminate" }): Reply {
  const refusal = refuseEnded(draft, "terminate");
  if (refusal !== undefined) return refusal;
  const error = errorValue("TERMINATED", `The run was terminated: ${boundMessage(reason)}`);
  const data = encodeValue({ reason }, "reason");
  const { undone, inFlight } = findRemains(draft);
  end(draft, "cancelled", {
    error: { ...error, data, category: "USER_ERROR" },
    cancelReason: reason,
    undone,
    inFlight,
  });
  draft.abort({ type: "cancelled", reason });
  return { type: "done" };
}

/**
 * Returns the completed steps whose compensation has not succeeded, in the order of their completion, and the bodies whose
 * effect is unknown. Each list has one more element than readers see if it is cut.
 */
function findRemains(draft: Draft): { readonly undone: OperationId[]; readonly inFlight: OperationId[] } {
  const compensable: OperationId[] = [];
  const succeeded = new Set<OperationId>();
  const executing = new Set<OperationId>();
  for (const [, entry] of listRows(draft.state.store, JOURNAL_PREFIX)) {
    // Only the start of a `once` step and of a stream is journaled. Other bodies are known to the live execution.
    if (entry.type === "step.started" || entry.type === "stream.started") executing.add(entry.op);
    else if (isOutcome(entry)) executing.delete(entry.op);
    if (entry.type !== "step.completed") continue;
    succeeded.add(entry.op);
    if (entry.compensable === true) compensable.push(entry.op);
  }
  for (const { op } of draft.context.inProgress ?? []) if (HAS_BODY.has(parseOperationId(op).kind)) executing.add(op);
  return { undone: cut(compensable.filter((op) => !succeeded.has(compensationOf(op)))), inFlight: cut(executing) };
}

function cut(ops: Iterable<OperationId>): OperationId[] {
  return [...ops].slice(0, HOST_LIMITS.remains + 1);
}
