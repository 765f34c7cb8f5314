/**
 * The life cycle of a run: its statuses, and the changes of the header and the effects that each change of status needs.
 *
 * Owns: the status machine (RUN1). No other file changes the status of a run.
 *
 * Invariants
 * - LC1 Every change of status is one that `NEXT` lists.
 * - LC2 A running run has a watchdog; no other run has one (DUR5).
 */
import {
  type ChildOutcome,
  ENCODED_UNDEFINED,
  HOST_LIMITS,
  type RunStatus,
  assert,
  errorValue,
  isTerminal,
} from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { type Hold, mayExecute } from "./state/hold.ts";
import { admit, freeActive, freeAll, freeOfPaused, wantAgain } from "./holds.ts";
import type { Deferral } from "./draft/inputs.ts";
import { post } from "./draft/outbox.ts";
import { type OpenWait, type ParentRef, type RunHeader, parentsOf } from "./state/run-header.ts";
import { plainError } from "./state/run-error.ts";
import { askDescription } from "./undescribed.ts";

/** The statuses that may follow each status. A terminal status is final (RUN1). */
const NEXT: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  // A run that waits for its limits ends `failed` if the time of the queue is over.
  pending: ["running", "paused", "cancelled", "failed"],
  running: ["waiting", "paused", "completed", "failed", "cancelled", "compensated", "compensation_failed"],
  waiting: ["running", "paused", "completed", "failed", "cancelled", "compensated", "compensation_failed"],
  paused: ["pending", "running", "waiting", "completed", "failed", "cancelled", "compensated", "compensation_failed"],
  completed: [],
  failed: [],
  cancelled: [],
  compensated: [],
  compensation_failed: [],
};

function changeStatus(draft: Draft, status: RunStatus, patch: Partial<Omit<RunHeader, "status">>): void {
  const { header } = draft;
  assert(NEXT[header.status].includes(status), `the status of a run cannot change from ${header.status} to ${status}`);
  draft.replace({ ...header, ...patch, status });
}

/** Ensures that the run executes, as soon as it holds its limits (L1): notifies the live execution, or starts one. */
export function wake(draft: Draft): void {
  if (draft.header.undescribed !== undefined) return askDescription(draft);
  const wasRunning = draft.header.status === "running";
  if (!wasRunning && !admit(draft)) return awaitAdmission(draft);
  if (!wasRunning) changeStatus(draft, "running", { watchdogAt: draft.now + HOST_LIMITS.watchdogMsMin });
  if (draft.header.startedAt === undefined) startClock(draft);
  // A running run without a live execution has lost it. `recovery` starts another one, and counts the losses.
  if (draft.live) draft.requestUpdate();
  else if (!wasRunning) startExecution(draft);
}

/** The run waits for its limits. A live execution would continue without them. */
function awaitAdmission(draft: Draft): void {
  const { status, epoch, startAt } = draft.header;
  // A run from a back-up whose first execution was deferred waits, although it has had none.
  if (status === "paused") changeStatus(draft, epoch === 0 ? "pending" : "waiting", {});
  if (startAt !== undefined) draft.change({ startAt: undefined });
  draft.abort({ type: "superseded" });
}

function startClock(draft: Draft): void {
  const { timeoutMs } = draft.header;
  const deadlineAt = timeoutMs === undefined ? undefined : draft.now + timeoutMs;
  draft.change({ startedAt: draft.at, startAt: undefined, deadlineAt });
}

/** Starts an execution under a new epoch, from the journal. The previous execution is superseded (DUR6). */
export function startExecution(draft: Draft): void {
  const { deferral } = draft.context;
  if (deferral !== undefined) return deferExecution(draft, deferral);
  draft.start();
  const { dispatch, epoch, unwinding, cleanupBy = draft.now + HOST_LIMITS.cleanupWaitMs } = draft.header;
  const isStopped = unwinding?.cause === "cancel" || unwinding?.cause === "timeout";
  draft.change({
    epoch: epoch + 1,
    ...(isStopped ? { cleanupBy } : {}),
    watchdogAt: draft.now + HOST_LIMITS.watchdogMsMin,
    // A deferral is no failure of dispatch.
    dispatch: dispatch === undefined || dispatch.failures === 0 ? undefined : { ...dispatch, retryAt: undefined },
  });
}

export const HELD: Deferral = {
  delayMs: HOST_LIMITS.heldAlarmMs,
  code: "HELD",
  message: "An operator holds this deployment (HOLD), so no execution begins.",
};

/** Begins no execution now. The run is dispatched at a later alarm (DUR12). */
function deferExecution(draft: Draft, { delayMs, code, message }: Deferral): void {
  const { dispatch } = draft.header;
  // The same reason as at the last try: the run has waited since then.
  const since = dispatch?.failures === 0 && dispatch.code === code ? Math.min(dispatch.since, draft.now) : draft.now;
  draft.change({
    dispatch: { since, failures: 0, retryAt: draft.now + delayMs, code, message },
    watchdogAt: undefined,
  });
}

/** Parks the run: its execution has nothing to do until the next input. It has survived, which is progress (DUR7). */
export function park(draft: Draft): void {
  changeStatus(draft, "waiting", { watchdogAt: undefined, crashes: undefined, losses: undefined, silent: undefined });
  const { holds, waits, retryAt, stepHolds = [], epoch } = draft.header;
  // A step waits for a place: the run wants no limit again while it has one (FLOW6).
  if (stepHolds.some((hold) => hold.state !== "free" && hold.epoch === epoch)) return;
  // A run that awaits a promise of its own alone continues in memory, or never. So it keeps its holds.
  if (!holds?.some(isGivenBack) || (waits.length === 0 && retryAt === undefined)) return;
  freeActive(draft);
  draft.abort({ type: "superseded" });
}

function isGivenBack({ mode, state }: Hold): boolean {
  return mode === "active" && state === "held";
}

/** A run from a back-up executes again when it holds its limits again: another run may hold them by now (DUR14). */
export function suspend(draft: Draft): void {
  const { status, holds = [] } = draft.header;
  if (isTerminal(status) || holds.every(({ state }) => state === "free")) return;
  if (status === "running") changeStatus(draft, "waiting", { watchdogAt: undefined, dispatch: undefined });
  draft.abort({ type: "superseded" });
  wantAgain(draft);
}

/** Who pauses a run, and why (WHY1). */
type Operator = Pick<NonNullable<RunHeader["paused"]>, "subject" | "reason">;

/**
 * Pauses the run until an operator acts. The journal does not change. `error`: why the engine pauses it. A run that an
 * operator has paused stays paused by the operator: the next execution reports again what is wrong (CAN4).
 */
export function pause(draft: Draft, error?: RunHeader["error"], operator: Operator = {}): void {
  const { status } = draft.header;
  if (status === "paused") return;
  const from = status === "pending" || status === "waiting" ? status : "running";
  const by = error === undefined ? "operator" : "engine";
  changeStatus(draft, "paused", {
    paused: { from, at: draft.now, by, ...operator },
    ...(error === undefined ? {} : { error }),
    watchdogAt: undefined,
    dispatch: undefined,
  });
  if (by === "operator") {
    draft.change({ cleanupBy: undefined });
    draft.notifyPaused(true);
  }
  freeOfPaused(draft);
}

/** Restores the status from before the pause. The pause does not count against the time budget (CAN6). */
export function unpauseTo(draft: Draft, { from, at }: NonNullable<RunHeader["paused"]>): void {
  const { deadlineAt, admission, epoch } = draft.header;
  // The clock may have been set back during the pause.
  const pausedMs = Math.max(draft.now - at, 0);
  const waits = from === "running" && !mayExecute(draft.header, draft.now);
  changeStatus(draft, waits ? (epoch === 0 ? "pending" : "waiting") : from, {
    paused: undefined,
    ...(deadlineAt === undefined ? {} : { deadlineAt: deadlineAt + pausedMs }),
    ...(admission?.timeoutAt === undefined
      ? {}
      : { admission: { ...admission, timeoutAt: admission.timeoutAt + pausedMs } }),
  });
  draft.notifyPaused(false);
}

/** Continues a run that was running when it was paused, with the live execution or with a new one. */
export function continueRunning(draft: Draft): void {
  draft.change({ watchdogAt: draft.now + HOST_LIMITS.watchdogMsMin });
  if (!draft.live && !draft.starts) startExecution(draft);
}

/** Ends the run (RUN1). Later reports are rejected (DUR6); its parents are notified (CHILD2). */
export function end(draft: Draft, status: RunStatus, patch: Partial<Omit<RunHeader, "status">>): void {
  const { retentionMs } = draft.context;
  cancelChildren(draft);
  freeAll(draft);
  changeStatus(draft, status, {
    ...patch,
    endedAt: draft.at,
    startAt: undefined,
    watchdogAt: undefined,
    cleanupBy: undefined,
    dispatch: undefined,
    paused: undefined,
    waits: [],
    races: undefined,
    retryAt: undefined,
    admission: undefined,
    expiresAt: retentionMs === undefined ? undefined : draft.now + retentionMs,
  });
  for (const parent of parentsOf(draft.header)) notifyParent(draft, parent);
}

/** Notifies a parent of this run, which has ended (CHILD2). */
export function notifyParent(draft: Draft, { runId, op, detached, start }: ParentRef): void {
  const { error, output = ENCODED_UNDEFINED, id, status } = draft.header;
  // The parent of a detached run does not wait for it. It only removes its start.
  if (detached && start === undefined) return;
  const failure = error ?? errorValue("CHILD_RUN_FAILED", `The run ended ${status}.`);
  const outcome: ChildOutcome =
    status === "completed"
      ? { status, runId: id, output: detached ? ENCODED_UNDEFINED : output }
      : { status, runId: id, error: plainError(failure) };
  const from = start === undefined ? {} : { start };
  post(draft, { kind: "run", name: runId }, { type: "childEnded", op, outcome, ...from });
}

/** Cancels the attached children, because their parent ends or starts to unwind (CHILD3). */
export function cancelChildren(draft: Draft): void {
  for (const wait of draft.header.waits) cancelChild(draft, wait, `its parent ${draft.header.id} has stopped`);
}

/** Cancels the child of this wait, if it waits for one. */
export function cancelChild(draft: Draft, { runId, op }: Pick<OpenWait, "runId" | "op">, reason: string): void {
  if (runId === undefined) return;
  const parent = { runId: draft.header.id, op };
  post(draft, { kind: "run", name: runId }, { type: "cancel", reason, parent });
}
