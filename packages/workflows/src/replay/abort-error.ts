/**
 * The error in workflow code when its execution is aborted.
 *
 * Owns: its message for each reason (CAN1, RUN6).
 */
import type { AbortReason } from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";

export function abortError(reason: AbortReason): CancelledError {
  switch (reason.type) {
    case "superseded":
      return new CancelledError("This execution was superseded.");
    case "cancelled":
      return new CancelledError(
        reason.reason === undefined ? "The run was cancelled." : `The run was cancelled: ${reason.reason}`,
      );
    case "timed_out":
      return new CancelledError(`The run's time budget of ${reason.timeoutMs} ms is used up.`);
  }
}
