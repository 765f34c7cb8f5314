/**
 * What an event does, as text.
 *
 * Owns: the state of a target, and the sum of the targets of an event.
 */
import type { EventTarget, RunStatus } from "@holdfast/workflows/client";

export const TARGET_LIKE: Readonly<Record<EventTarget["state"], RunStatus>> = {
  pending: "pending",
  started: "completed",
  delivered: "completed",
  failed: "failed",
};

export const TARGET_TEXTS: Readonly<Record<EventTarget["state"], string>> = {
  pending: "not answered yet",
  started: "started",
  delivered: "stored for waits",
  failed: "failed",
};

export interface Summary {
  readonly like: RunStatus;
  readonly text: string;
}

/** Returns what an event does, in a line: the worst state of its targets first. */
export function summaryOf(targets: readonly EventTarget[]): Summary {
  const number = (state: EventTarget["state"]): number => targets.filter((one) => one.state === state).length;
  const [failed, pending] = [number("failed"), number("pending")];
  if (targets.length === 0) return { like: "cancelled", text: "nothing" };
  if (failed > 0) return { like: "failed", text: `${failed} of ${targets.length} failed` };
  if (pending > 0) return { like: "pending", text: `${pending} of ${targets.length} not answered yet` };
  return { like: "completed", text: "done" };
}

/** Returns how many runs an event starts, and whether it reaches the runs that wait for its key. */
export function targetsText(targets: readonly EventTarget[]): string {
  const runs = targets.filter(({ trigger }) => trigger !== undefined).length;
  const parts = [
    ...(runs === 0 ? [] : [runs === 1 ? "1 run" : `${runs} runs`]),
    ...(targets.some(({ topic }) => topic !== undefined) ? ["its topic"] : []),
  ];
  return parts.join(", ");
}
