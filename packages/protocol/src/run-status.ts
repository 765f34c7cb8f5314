/**
 * The statuses of a run (RUN1).
 *
 * Owns: the only list of them. Schemas, the client and the OpenAPI description use it.
 */
export const RUN_STATUSES = [
  "pending",
  "running",
  "waiting",
  "paused",
  "completed",
  "failed",
  "cancelled",
  "compensated",
  "compensation_failed",
] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

/** A run with one of these statuses has ended; the status never changes again. */
export const TERMINAL_STATUSES = ["completed", "failed", "cancelled", "compensated", "compensation_failed"] as const;

export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export function isTerminal(status: RunStatus): status is TerminalStatus {
  return TERMINAL_STATUSES.some((terminal) => terminal === status);
}
