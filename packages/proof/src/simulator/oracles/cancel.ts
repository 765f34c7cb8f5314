/**
 * Oracle on ends from outside: a terminate decides the end at once (CAN8), and a cancel that was acknowledged while the run could still be cancelled decides its end (CAN1).
 */
import { isTerminal } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

export function checkCancel({ host: { header }, cancelAcknowledged, terminated }: ObservedRun): string[] {
  const isTerminated = header.error?.code === "TERMINATED";
  if (terminated !== isTerminated) return [`ended with ${header.error?.code}, but terminated is ${terminated}`];
  if (!cancelAcknowledged || !isTerminal(header.status)) return [];
  const code = header.error?.code;
  // A time budget may be used up when the cancel arrives.
  if (code === "CANCELLED" || terminated || code === "WORKFLOW_TIMEOUT") return [];
  return [`ended ${header.status} with ${code ?? "no error"}, although its cancel was acknowledged`];
}
