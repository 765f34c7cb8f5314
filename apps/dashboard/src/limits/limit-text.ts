/**
 * What the record of a limit means, as text.
 *
 * Owns: why a run of the queue is not admitted, from its place and the state of the limit.
 */
import type { LimitHolder, LimitQueued, LimitRecord } from "@holdfast/workflows/client";
import { durationText } from "../ui/times.tsx";

/** Returns the place of a run of the queue among those that are served before it: of its group, if groups take turns. */
export function placeOf({ queue }: LimitRecord, at: number): number {
  const group = queue[at]?.group;
  return queue.slice(0, at + 1).filter((one) => one.group === group).length;
}

/** Returns why the run at a position of the queue waits. */
export function queueReason(limit: LimitRecord, at: number): string {
  const { paused, max, held, queue, next } = limit;
  const place = placeOf(limit, at);
  const inGroup = queue[at]?.group === undefined ? "" : " of its group, and groups take turns";
  const after = place === 1 && inGroup === "" ? "" : `It is number ${place}${inGroup}. `;
  if (paused !== undefined) return `${after}The limit is paused by ${paused.by}.`;
  if (queue[at]?.runId === next && (max === null || held < max)) return "It is admitted next.";
  if (max !== null && held >= max) return `${after}${held === 1 ? "The place is" : `All ${held} places are`} taken.`;
  return after === "" ? "It waits for its turn." : after.trim();
}

export function count(number: number, name: string): string {
  return `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
}

export function rateText({ rate }: LimitRecord): string | undefined {
  if (rate === undefined) return undefined;
  const { limit, perMs, burst } = rate;
  return `${limit} in ${durationText(perMs)}${burst === 0 ? "" : `, ${burst} more at once`}`;
}

export const HOLDER_TEXTS: Readonly<Record<LimitHolder["state"], string>> = {
  held: "holds",
  granted: "admitted, not confirmed yet",
  unreachable: "does not answer",
  replaced: "is replaced",
  released: "has ended, its children hold",
};

export const MODE_TEXTS: Readonly<Record<LimitHolder["mode"], string>> = {
  run: "until it ends",
  active: "while it executes",
  step: "for a step",
};

/** Returns what moves a run in the queue: its head start, and its group. */
export function orderText({ priority, group }: LimitQueued): string {
  const parts = [
    ...(priority === undefined || priority === 0
      ? []
      : [`${priority > 0 ? "head start" : "set back"} ${durationText(Math.abs(priority) * 1_000)}`]),
    ...(group === undefined ? [] : [`group ${group}`]),
  ];
  return parts.join(", ");
}

/** The state of a limit for a list. */
export function limitState({ paused, override, holders, queued }: LimitRecord): {
  readonly like: "paused" | "failed" | "waiting" | "completed";
  readonly text: string;
} {
  if (paused !== undefined) return { like: "paused", text: "paused" };
  if (holders.some(({ state }) => state === "unreachable")) return { like: "failed", text: "a holder does not answer" };
  if (queued > 0) return { like: "waiting", text: override === undefined ? "full" : "full, max changed" };
  return { like: "completed", text: override === undefined ? "open" : "open, max changed" };
}
