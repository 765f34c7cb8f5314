/**
 * The places of steps at limits (STEP10).
 *
 * Owns: the list `stepHolds` of the header, and its messages to the gates. Nothing is journaled: an execution that begins asks
 * again, and gets what its run has.
 *
 * Invariants
 * - SH1 An attempt executes only while the header holds a place for it. The place is free in the commit of its outcome, which
 *   posts the release (L1).
 * - SH2 A run that waits for its own limits has no place of a step: so limits of steps come after those of its runs (FLOW6).
 *   What can still wait for each other is found (L10).
 * - SH3 Which places the run keeps follows from its state at the end of each transition, in one function.
 */
import {
  type ErrorValue,
  LIMITS,
  type OperationEvents,
  type OperationId,
  type StepInProgress,
  defined,
  describeOperation,
  errorValue,
  isOutcome,
  isTerminal,
} from "@holdfast/protocol";
import { planPlace } from "../flow/step-plan.ts";
import { type Acquire, type AcquireAnswer, type HolderMessage, gateName } from "../gate/messages.ts";
import { askDelayMs } from "./ask-delay.ts";
import { stopAtLimit } from "./cancel.ts";
import { mayBlock } from "./draft/deadlock.ts";
import type { Draft } from "./draft/draft.ts";
import { type StepHold, enqueuedWithin, isSameGate, startOf, startWithin } from "./state/hold.ts";
import { acquireOf, addressOf, nextSeq, releaseOf } from "./holds.ts";
import { wake } from "./lifecycle.ts";
import { post } from "./draft/outbox.ts";
import { markFeature } from "./releases.ts";
import type { RunHeader } from "./state/run-header.ts";
import { readInput } from "./state/run-state.ts";
import { failAttempt } from "./steps.ts";

type Wants = OperationEvents & { type: "step.wants" };

/** Asks the gate for a place, unless the step has it or has asked. */
export function wantPlace(draft: Draft, event: Wants): void {
  const { op, attempt, shielded } = event;
  const { epoch, holds = [], stepHolds = [] } = draft.header;
  const known = stepHolds.find((hold) => hold.op === op);
  if (known !== undefined && known.state !== "free" && known.attempt === attempt) {
    if (known.epoch !== epoch) change(draft, known, { ...known, epoch });
    return;
  }
  // A place of another attempt is not given back by its outcome.
  if (known !== undefined) free(draft, known);
  const { context, state } = draft;
  if (context.coordinates !== true) return fail(draft, event, notConfigured(op));
  const plan = planPlace(event.limit, () => readInput(state, draft.header), context.rev ?? 0, describeOperation(op));
  if (typeof plan === "string") return fail(draft, event, errorValue("INVALID_ARGUMENT", plan));
  const enqueuedAt = known?.enqueuedAt ?? draft.now;
  const about = { ...plan, op, attempt, epoch, enqueuedAt, shielded };
  // The run holds the limit itself whenever it executes.
  if (plan.settings.max !== undefined && holds.some((hold) => isSameGate(hold, plan)))
    return add(draft, defined({ ...about, state: "held", seq: 0, own: true }));
  const seq = nextSeq(draft);
  const wanted: StepHold = defined({ ...about, state: "wanted", seq });
  add(draft, wanted);
  if (!draft.header.stepHolds?.includes(wanted)) return;
  draft.change({ lastStepSeq: seq });
  acquire(draft, wanted);
}

function add(draft: Draft, place: StepHold): void {
  makeRoom(draft);
  const others = draft.header.stepHolds?.filter(({ op }) => op !== place.op) ?? [];
  if (others.length >= LIMITS.stepPlaces)
    return stopAtLimit(draft, `${LIMITS.stepPlaces} steps of the run have or want places at limits`);
  draft.change({ stepHolds: [...others, place] });
  markFeature(draft, "step holds");
}

function fail(draft: Draft, { op, nth, attempt }: Wants, error: ErrorValue): void {
  failAttempt(draft, { type: "step.failed", op, nth, attempt, startedAt: draft.at, error, retry: null });
}

function notConfigured(op: OperationId): ErrorValue {
  const text = `${describeOperation(op)} has a limit, and this deployment has no objects for limits. Add the binding COORDINATOR_DO of the class CoordinatorDO.`;
  return errorValue("LIMITS_NOT_CONFIGURED", text);
}

/** Forgets what steps keep between attempts, and what an earlier execution asked for, the oldest first. */
function makeRoom(draft: Draft): void {
  const { stepHolds = [], epoch } = draft.header;
  let excess = stepHolds.length + 1 - LIMITS.stepPlaces;
  for (const hold of stepHolds) {
    if (excess <= 0) return;
    if (hold.state !== "free" && hold.epoch === epoch) continue;
    drop(draft, hold);
    excess -= 1;
  }
}

function acquire(draft: Draft, hold: StepHold, held?: true): void {
  const message = acquireOf(draft.header, { ...hold, mode: "step", onFull: "queue" }, held);
  // No bound of the queue drops a step: its run has executed.
  post(draft, addressOf(hold), { ...message, again: true });
}

function change(draft: Draft, hold: StepHold, by: StepHold | undefined): void {
  const stepHolds = draft.header.stepHolds?.flatMap((one) => (one === hold ? (by ?? []) : one));
  draft.change({ stepHolds: stepHolds?.length === 0 ? undefined : stepHolds });
}

/** Gives a place back, or leaves the queue. */
function release(draft: Draft, hold: StepHold): void {
  // What only a rate admits is not stored at the gate.
  if (hold.state !== "free" && hold.settings.max !== undefined && hold.own !== true)
    post(draft, addressOf(hold), releaseOf(draft.header, hold));
}

function drop(draft: Draft, hold: StepHold): void {
  change(draft, hold, undefined);
  release(draft, hold);
}

/** The place that a message of a gate is about, if a step wants or has it. */
export function findPlace({ stepHolds = [] }: RunHeader, { gate, hold: { seq } }: HolderMessage): StepHold | undefined {
  return stepHolds.find((one) => one.state !== "free" && one.seq === seq && gateName(one.limit, one.key) === gate);
}

/** The gate admits the step: its body starts now, or when the rate admits it. */
export function grantPlace(draft: Draft, hold: StepHold, startAt: number | undefined): void {
  if (hold.state === "held") return;
  const { position: _position, askAt: _askAt, asks: _asks, ...rest } = hold;
  change(draft, hold, { ...rest, state: "held", ...startOf(startAt, draft.now) });
  if (startAt === undefined || startAt <= draft.now) startAdmitted(draft);
}

function startAdmitted(draft: Draft): void {
  const { status, admission } = draft.header;
  if (status !== "paused" && admission === undefined) wake(draft);
}

/** Applies the answer to an acquire of a step. Returns false if it is about none. */
export function placeAnswered(draft: Draft, { hold: ref, limit }: Acquire, answer: AcquireAnswer): boolean {
  const { stepHolds = [] } = draft.header;
  const hold = stepHolds.find((one) => one.state === "wanted" && one.seq === ref.seq && one.limit === limit);
  if (hold === undefined) return false;
  if (answer.type === "granted") grantPlace(draft, hold, answer.startAt);
  if (answer.type !== "queued") return true;
  const { asks = 0 } = hold;
  if (asks > 0 && mayBlock(draft.header, hold)) draft.findDeadlock();
  const askAt = draft.now + askDelayMs(asks);
  change(draft, hold, defined({ ...hold, position: answer.position, asks: asks + 1, askAt }));
  return true;
}

/** Settles the timers of steps that wait: a rate admits one now, or its gate is asked again (L3). */
export function settlePlaces(draft: Draft): void {
  const { stepHolds = [] } = draft.header;
  for (const hold of stepHolds) {
    const { startAt = Infinity, askAt = Infinity } = hold;
    if (hold.state === "held" && startAt <= draft.now) {
      const { startAt: _startAt, startMs: _startMs, ...rest } = hold;
      change(draft, hold, rest);
      startAdmitted(draft);
    }
    if (hold.state !== "wanted" || askAt > draft.now) continue;
    const { askAt: _askAt, ...asking } = hold;
    change(draft, hold, asking);
    acquire(draft, asking);
  }
}

/** Sets the timers again after the clock was set back (WAIT1). */
export function placesAgain(draft: Draft): void {
  for (const hold of draft.header.stepHolds ?? []) {
    const { askAt, startAt, enqueuedAt } = hold;
    const latest = draft.now + askDelayMs(hold.asks ?? 1);
    const again: StepHold = defined({
      ...hold,
      askAt: askAt && Math.min(askAt, latest),
      startAt: startWithin(hold, draft),
      enqueuedAt: enqueuedWithin(hold, draft.now) ?? enqueuedAt,
    });
    const changes = again.askAt !== askAt || again.startAt !== startAt || again.enqueuedAt !== enqueuedAt;
    if (changes) change(draft, hold, again);
  }
}

/** States the places again to gates that have lost their rows (L5). */
export function restatePlaces(draft: Draft): void {
  for (const hold of draft.header.stepHolds ?? [])
    if (hold.state !== "free" && hold.settings.max !== undefined && hold.own !== true)
      acquire(draft, hold, hold.state === "held" ? true : undefined);
}

/** Gives all places back of a run from a back-up: others may have them by now. The numbers jump (DUR14). */
export function freePlaces(draft: Draft): void {
  const { stepHolds = [], lastStepSeq = 0 } = draft.header;
  if (lastStepSeq === 0) return;
  for (const hold of stepHolds) free(draft, hold);
  draft.change({ lastStepSeq: Math.max(lastStepSeq, draft.now) });
}

/** A run whose steps gave their places back asks again: after a pause, or from a back-up. */
export function askAgain(draft: Draft): void {
  const { status, admission, stepHolds } = draft.header;
  if (status === "waiting" && admission === undefined && stepHolds !== undefined) wake(draft);
}

/** Whether a step has a place that the execution that reports does not know of: its body did not start (SH1). */
export function hasUnseenPlace({ header, now }: Draft): boolean {
  const { stepHolds = [], epoch } = header;
  return stepHolds.some((hold) => hold.state === "held" && hold.epoch === epoch && (hold.startAt ?? 0) <= now);
}

/** Gives the places back that the run no longer needs (SH3). `parked`: its execution has nothing to do. */
export function syncPlaces(draft: Draft): void {
  const header = draft.headerIfAny;
  if (header?.stepHolds === undefined) return;
  const isOver = isTerminal(header.status);
  const parked = header.status === "waiting" && draft.state.header?.status === "running";
  const ended = new Set(draft.entries.filter(isOutcome).map(({ op }) => op));
  const retried = new Set(draft.entries.flatMap(({ type, op }) => (type === "step.retrying" ? [op] : [])));
  for (const hold of header.stepHolds) {
    const unwinds = header.unwinding !== undefined && hold.shielded !== true;
    // An execution asks for what it needs. What an earlier one asked for, and this one did not, is not needed.
    const isStale = parked && hold.epoch !== header.epoch;
    if (isOver || unwinds || isStale || ended.has(hold.op)) drop(draft, hold);
    else if (header.admission !== undefined || retried.has(hold.op) || isIdleInPause(draft, hold)) free(draft, hold);
  }
}

/** Gives a place back. The step keeps its time in the queue (L4). */
function free(draft: Draft, hold: StepHold): void {
  if (hold.state === "free") return;
  const { position: _position, startAt: _startAt, startMs: _startMs, askAt: _askAt, asks: _asks, ...rest } = hold;
  change(draft, hold, { ...rest, state: "free" });
  release(draft, hold);
}

/** Whether the run is paused and the body of the step does not execute: it asks again after the pause (CAN4). */
function isIdleInPause({ header, live, context: { inProgress = [] } }: Draft, { op }: StepHold): boolean {
  if (header.status !== "paused") return false;
  const bodies: readonly StepInProgress[] = header.paused?.by === "operator" && live ? inProgress : [];
  return !bodies.some((body) => body.op === op);
}
