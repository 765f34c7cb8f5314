/**
 * Cancelling a run.
 *
 * Owns: CAN1 (durable when acknowledged, and final against results that arrive later) and CAN2 (a parked run needs no
 * executor to be cancelled).
 */
import { boundMessage, errorValue } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { isTerminal } from "./run-header.ts";

export function cancel(draft: Draft, input: Input & { type: "cancel" }): Reply {
  const { header } = draft;
  if (isTerminal(header.status)) {
    return {
      type: "refused",
      code: "run_terminal",
      message: `Run ${JSON.stringify(header.id)} has ended (${header.status}); there is nothing to cancel.`,
    };
  }
  const { reason } = input;
  const error = errorValue(
    "CANCELLED",
    reason === undefined ? "The run was cancelled." : `The run was cancelled: ${boundMessage(reason)}`,
  );
  draft.end("cancelled", { error: { ...error, category: "USER_ERROR" }, cancelReason: reason });
  draft.abort({ type: "cancelled", ...(reason === undefined ? {} : { reason }) });
  return { type: "done" };
}
