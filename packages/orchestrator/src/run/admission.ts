/**
 * The admission of a run to its limits: what gates answer and say, and its timers.
 *
 * Owns: L3 (a run that waits and is not answered asks again), the time-out of the queue, and the ends of runs that a gate does
 * not admit. `holds.ts` has the list of holds.
 *
 * Invariants
 * - AD1 A grant counts only for the holding that the run wants now. Any other is declined, and the gate gives it to the next.
 * - AD2 A probe changes nothing.
 */
import { type ErrorValue, boundMessage, errorValue, isTerminal } from "@holdfast/protocol";
import {
  type Acquire,
  type Drop,
  type Grant,
  type HolderAnswer,
  type HolderMessage,
  gateName,
  isAcquireAnswer,
} from "../gate/messages.ts";
import { askDelayMs } from "./ask-delay.ts";
import { cancel } from "./cancel.ts";
import { mayBlock } from "./draft/deadlock.ts";
import type { Draft } from "./draft/draft.ts";
import { type Hold, mayExecute, startOf } from "./state/hold.ts";
import { freed, postAcquire, replace } from "./holds.ts";
import type { Reply } from "./draft/inputs.ts";
import { end, wake } from "./lifecycle.ts";
import { post } from "./draft/outbox.ts";
import type { RunHeader } from "./state/run-header.ts";
import { findPlace, grantPlace, placeAnswered } from "./step-holds.ts";

/** Answers a message of a gate about a holding of this run. */
export function fromGate(draft: Draft, message: HolderMessage): Reply {
  return { type: "holder", answer: { type: answerGate(draft, message) } };
}

function answerGate(draft: Draft, message: HolderMessage): HolderAnswer["type"] {
  if (message.hold.incarnation !== (draft.header.incarnation ?? "")) return "not_found";
  const hold = findHold(draft.header, message);
  if (hold === undefined) return answerForStep(draft, message);
  switch (message.type) {
    case "grant":
      return grant(draft, hold, message);
    case "drop":
      return drop(draft, hold, message);
    case "probeHold":
      return hold.state === "held" ? "holds" : "wants";
  }
}

/** The same about a place of a step (STEP10), or about a holding that the run no longer has. */
function answerForStep(draft: Draft, message: HolderMessage): HolderAnswer["type"] {
  const place = findPlace(draft.header, message);
  if (place === undefined) return message.type === "probeHold" ? "free" : "declined";
  switch (message.type) {
    case "grant":
      grantPlace(draft, place, message.startAt);
      return "accepted";
    case "drop":
      stopFor(draft, reasonOf(message));
      return "accepted";
    case "probeHold":
      return place.state === "held" ? "holds" : "wants";
  }
}

/** The hold that a message is about, if the run wants or holds it. */
function findHold({ holds = [] }: RunHeader, { gate, hold: { seq } }: HolderMessage): Hold | undefined {
  return holds.find((hold) => hold.state !== "free" && hold.seq === seq && gateName(hold.limit, hold.key) === gate);
}

function grant(draft: Draft, hold: Hold, { startAt }: Pick<Grant, "startAt">): "accepted" {
  if (hold.state === "held") return "accepted";
  const { position: _position, askAt: _askAt, asks: _asks, ...rest } = hold;
  replace(draft, hold, { ...rest, state: "held", ...startOf(startAt, draft.now) });
  continueAdmission(draft);
  return "accepted";
}

/** Wants the next hold, or begins to execute. */
function continueAdmission(draft: Draft): void {
  if (draft.header.admission !== undefined && draft.header.status !== "paused") wake(draft);
}

/** The gate does not admit the run, or a newer run replaces it: the run is cancelled (CAN1). */
function drop(draft: Draft, hold: Hold, message: Drop): "accepted" {
  if (hold.state === "wanted") replace(draft, hold, freed(hold));
  reportToSchedule(draft);
  stopFor(draft, reasonOf(message));
  return "accepted";
}

/** Reports to the schedule that its tick starts nothing, because a limit does not admit the run (SCH5). */
function reportToSchedule(draft: Draft): void {
  const { id, schedule, admission } = draft.header;
  if (schedule === undefined || admission === undefined) return;
  post(draft, { kind: "schedule", name: schedule.id }, { type: "notAdmitted", runId: id });
}

function reasonOf({ reason, by }: Drop): string {
  return by === undefined ? reason : `${reason} by run ${by}`;
}

function stopFor(draft: Draft, reason: string): void {
  cancel(draft, { type: "cancel", reason });
}

/** Applies the answer to an acquire. A late answer about an earlier holding is ignored. */
export function acquireAnswered(draft: Draft, acquire: Acquire, answer: unknown): void {
  const { status, holds = [] } = draft.header;
  if (isAcquireAnswer(answer) && placeAnswered(draft, acquire, answer)) return;
  const { hold: ref, limit } = acquire;
  const hold = holds.find((one) => one.state === "wanted" && one.seq === ref.seq && one.limit === limit);
  if (hold === undefined || !isAcquireAnswer(answer) || isTerminal(status)) return;
  switch (answer.type) {
    case "granted":
      grant(draft, hold, answer);
      return;
    case "queued":
      return queued(draft, hold, answer.position);
    case "full":
      return refuse(draft, hold, full(hold));
    case "skip":
      replace(draft, hold, freed(hold));
      reportToSchedule(draft);
      return stopFor(draft, `skipped: ${nameOf(answer.holder)} holds the limit ${JSON.stringify(hold.limit)}`);
    case "dropped":
      replace(draft, hold, freed(hold));
      reportToSchedule(draft);
      return stopFor(draft, answer.reason);
  }
}

function nameOf(holder: string): string {
  return holder === "" ? "a run of another tenant" : `run ${holder}`;
}

function queued(draft: Draft, hold: Hold, position: number | undefined): void {
  const { asks = 0, position: _position, ...rest } = hold;
  const delayMs = askDelayMs(asks);
  if (asks > 0 && mayBlock(draft.header, hold)) draft.findDeadlock();
  replace(draft, hold, {
    ...rest,
    asks: asks + 1,
    askAt: draft.now + delayMs,
    ...(position === undefined ? {} : { position }),
  });
}

/** The error of a run that finds a limit full whose policy is `reject`. */
function full({ limit, settings: { max } }: Pick<Hold, "limit" | "settings">): ErrorValue {
  const most = max === undefined ? "" : ` (at most ${max})`;
  return errorValue("LIMIT_FULL", `The limit ${JSON.stringify(limit)} is full${most}, and rejects further runs.`);
}

function refuse(draft: Draft, hold: Hold, error: ErrorValue): void {
  replace(draft, hold, freed(hold));
  reportToSchedule(draft);
  end(draft, "failed", { error: { ...error, category: "USER_ERROR" } });
}

/** Settles the timers of a run that waits for admission. */
export function settleAdmission(draft: Draft): void {
  const { admission, holds = [] } = draft.header;
  if (admission === undefined) return;
  if (admission.timeoutAt !== undefined && admission.timeoutAt <= draft.now) return timeOut(draft, admission.timeoutMs);
  for (const hold of holds) {
    if (hold.state !== "wanted" || hold.askAt === undefined || hold.askAt > draft.now) continue;
    const { askAt: _askAt, ...asking } = hold;
    replace(draft, hold, asking);
    postAcquire(draft, asking);
  }
  if (mayExecute(draft.header, draft.now)) wake(draft);
}

function timeOut(draft: Draft, timeoutMs = 0): void {
  const missing = draft.header.holds?.find(({ state }) => state !== "held");
  const limit = missing === undefined ? "its limits" : `the limit ${JSON.stringify(missing.limit)}`;
  reportToSchedule(draft);
  const text = `The run was not admitted to ${limit} within ${timeoutMs} ms (queueTimeout).`;
  end(draft, "failed", { error: { ...errorValue("QUEUE_TIMEOUT", boundMessage(text)), category: "USER_ERROR" } });
}
