/**
 * A limit of a run, as the header lists it.
 *
 * Owns: its form, and what follows from the header alone: whether the run may execute, and its timers.
 */
import type { AdmittedStep, OperationId } from "@holdfast/protocol";
import type { HoldRef } from "../../gate/messages.ts";
import type { PlannedHold } from "../../flow/plan.ts";
import type { PlannedPlace } from "../../flow/step-plan.ts";

export interface Hold extends PlannedHold {
  readonly state: "free" | "wanted" | "held";
  /** The number of the newest holding in its run. 0: the run has not wanted it yet. */
  readonly seq: number;
  /** When the run first wanted it, ms since 1970. It keeps its place in the queue after each wait (L4). */
  readonly enqueuedAt?: number;
  /** The place in the queue that the gate has last answered, from 1. */
  readonly position?: number;
  /** When the rate admits the run, ms since 1970. */
  readonly startAt?: number;
  /** How long after the grant that is, ms. Absent: earlier code has not stored it. */
  readonly startMs?: number;
  /** When the run asks again whether it holds, ms since 1970, and how often the gate has answered that it waits (L3). */
  readonly askAt?: number;
  readonly asks?: number;
}

/** A place of a step at a limit (STEP10). `free`: the step waits for its next attempt, and keeps its place in the queue. */
export interface StepHold extends PlannedPlace, Omit<Hold, keyof PlannedHold> {
  readonly op: OperationId;
  readonly enqueuedAt: number;
  /** The attempt that wants it, from 1. */
  readonly attempt: number;
  /** The execution that asked for it. A later one asks again. */
  readonly epoch: number;
  /** The run holds the limit itself: the step takes no place of its own. */
  readonly own?: true;
  /** The step belongs to `ctx.shielded`. */
  readonly shielded?: true;
}

/** A holding of an ancestor, of mode `run`. An attached child is admitted under it. */
export interface HeldAbove extends Pick<Hold, "limit" | "key" | "scope"> {
  readonly hold: HoldRef;
}

/** The run wants to execute, and does not hold all of its limits, or the rate does not admit it yet. */
export interface Admission {
  readonly since: number;
  /** Of the first admission: when it times out, ms since 1970, and after which time. */
  readonly timeoutAt?: number;
  readonly timeoutMs?: number;
}

interface HoldsOfRun {
  readonly holds?: readonly Hold[] | undefined;
  readonly admission?: Admission | undefined;
}

/** Whether the run holds each of its limits, and the rate admits it. */
export function mayExecute({ holds = [] }: HoldsOfRun, now: number): boolean {
  return holds.every(({ state, startAt = 0 }) => state === "held" && startAt <= now);
}

/** The earliest timer of a run that waits for admission; `undefined`: it has none. */
export function admissionAlarm({ admission, holds = [] }: HoldsOfRun): number | undefined {
  if (admission === undefined) return undefined;
  const asks = holds.flatMap(({ askAt }) => askAt ?? []);
  const starts = holds.every(({ state }) => state === "held") ? holds.map(({ startAt = 0 }) => startAt) : [];
  const times = [...asks, ...(starts.length === 0 ? [] : [Math.max(...starts)]), admission.timeoutAt ?? Infinity];
  const next = Math.min(...times);
  return next === Infinity ? undefined : next;
}

/** The steps that have their place now. Absent: none. */
export function admittedSteps(
  { stepHolds }: { readonly stepHolds?: readonly StepHold[] | undefined },
  now: number,
): { readonly admitted?: readonly AdmittedStep[] } {
  const held = stepHolds?.filter(({ state, startAt = 0 }) => state === "held" && startAt <= now);
  if (held === undefined || held.length === 0) return {};
  return { admitted: held.map(({ op, attempt }) => ({ op, attempt })) };
}

/** The earliest timer of the steps that wait for a place; `undefined`: they have none. */
export function stepHoldsAlarm(stepHolds: readonly StepHold[] | undefined): number | undefined {
  const times = stepHolds?.flatMap(({ state, askAt, startAt }) => (state === "held" ? (startAt ?? []) : (askAt ?? [])));
  return times === undefined || times.length === 0 ? undefined : Math.min(...times);
}

/** Whether two holds are at one gate. */
export function isSameGate(
  a: Pick<Hold, "limit" | "key" | "scope">,
  b: Pick<Hold, "limit" | "key" | "scope">,
): boolean {
  return a.limit === b.limit && a.key === b.key && a.scope === b.scope;
}

/** When a rate admits a run or a step that is granted now, if that is later. */
export function startOf(startAt: number | undefined, now: number): Pick<Hold, "startAt" | "startMs"> {
  return startAt === undefined || startAt <= now ? {} : { startAt, startMs: startAt - now };
}

/**
 * The same after the clock was set back: at most as long after now as it was after the grant (WAIT1). `at`: the time of the
 * journal: a start before it has passed.
 */
export function startWithin(
  { startAt, startMs, enqueuedAt = 0 }: Hold | StepHold,
  { now, at }: { readonly now: number; readonly at: number },
): number | undefined {
  if (startAt === undefined) return undefined;
  const latest = now + (startMs ?? startAt - enqueuedAt);
  if (startAt <= latest) return startAt;
  return startAt <= at ? undefined : latest;
}

/** Since when a run or a step waits that has left the queue: not later than now, or others would always come before it (L4). */
export function enqueuedWithin(
  { state, enqueuedAt }: Pick<Hold, "state" | "enqueuedAt">,
  now: number,
): number | undefined {
  return state === "free" && enqueuedAt !== undefined ? Math.min(enqueuedAt, now) : enqueuedAt;
}
