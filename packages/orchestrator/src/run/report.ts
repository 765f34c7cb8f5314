/**
 * The reports of executions.
 *
 * Owns: the fence (DUR6), and the table from types of events to the functions that apply them.
 */
import {
  type ExecutionEvent,
  type JournalEntry,
  HOST_LIMITS,
  type OperationEvents,
  type ReportAnswer,
  errorValue,
  isOutcome,
  isTerminal,
  valuesOf,
} from "@holdfast/protocol";
import { stopAtLimit } from "./cancel.ts";
import { startChild } from "./children.ts";
import type { Draft } from "./draft/draft.ts";
import { freeOfPaused } from "./holds.ts";
import { admittedSteps } from "./state/hold.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { startExecution, end, park, pause, wake } from "./lifecycle.ts";
import { applyMetadata } from "./metadata.ts";
import { unknownInReport } from "./state/newer-format.ts";
import { invalidMessage, knownEvents, problemOfReport } from "./received.ts";
import { toRunError } from "./state/run-error.ts";
import { openRace, releaseAborted } from "./releases.ts";
import { completeStep, failAttempt, inheritOutcome, startStep } from "./steps.ts";
import { appendChunks, startStream } from "./streams.ts";
import { hasUnseenPlace, wantPlace } from "./step-holds.ts";
import { startUnwinding, endUnwound, isAcceptedWhileUnwinding, isCompensation } from "./unwinding.ts";
import { endWaitsThatOpenedDue, openWait } from "./waits.ts";

/** Commits a report as a whole, or rejects it (E2). */
export function report(draft: Draft, input: Input & { type: "report" }): Reply {
  if (isTerminal(draft.header.status)) return reject("ended");
  // The execution that reports belongs to a process that died. The host has not read its streams.
  if (!draft.live) return reject("superseded");
  const problem = problemOfReport(input.report, input.from);
  if (problem !== undefined) return refuseReport(draft, invalidMessage(problem));
  const { epoch, asked, remote } = input.report;
  if (epoch !== draft.header.epoch || draft.starts || draft.header.paused?.by === "engine") return reject("superseded");
  const unknown = unknownInReport(input.report.events);
  if (unknown !== undefined) return refuseReport(draft, unknownMessage(unknown));
  const events = knownEvents(input.report);
  draft.asked = Math.max(draft.asked, asked);
  draft.remote = remote === true;
  if (draft.header.dispatch !== undefined) draft.change({ dispatch: undefined });
  const taken = new Set<string>();
  let parks = false;
  for (const event of events) {
    if (isTerminal(draft.header.status)) break;
    if (event.type !== "parked") {
      apply(draft, event, taken);
      continue;
    }
    endWaitsThatOpenedDue(draft);
    parks = mayPark(draft, event);
  }
  endWaitsThatOpenedDue(draft);
  // A parked execution continues by itself when it gets an outcome.
  if (draft.header.status === "waiting" && draft.entries.some(isOutcome)) wake(draft);
  // The code ended although the run had started to unwind: another execution executes the compensations (CAN1).
  if (draft.starts) return reject("superseded");
  // It has given its limits back, so it may not continue with the outcomes of this report (L1).
  if (draft.header.admission !== undefined) return reject("superseded");
  freeOfPaused(draft);
  keepVersion(draft, input.report.version);
  if (parks) park(draft);
  const { keeps } = input.report;
  const entries = keeps === true ? withoutValuesOf(events, draft.entries) : draft.entries;
  return { type: "report", answer: { ...answerOf(draft, parks), entries } };
}

/** The run keeps the version of the code that first executes it. Code that does not fit the journal executes nothing (RUN4). */
function keepVersion(draft: Draft, workflowVersion: string | undefined): void {
  const { header } = draft;
  if (workflowVersion === undefined || header.workflowVersion !== undefined || header.paused?.by === "engine") return;
  draft.change({ workflowVersion });
}

function answerOf({ header, at, now }: Draft, parks: boolean): ReportAnswer & { readonly accepted: true } {
  return { accepted: true, entries: [], now: at, ...(parks ? { parked: true } : {}), ...admittedSteps(header, now) };
}

/** Leaves out the values that the execution has reported itself: a large one crosses a pipe once (E5). */
function withoutValuesOf(events: readonly ExecutionEvent[], entries: readonly JournalEntry[]): JournalEntry[] {
  const values = valuesOf(events);
  return entries.map((entry) =>
    "value" in entry && values.get(entry.op) === entry.value ? { ...entry, value: "" } : entry,
  );
}

/** The step handler is newer (VER2). */
function unknownMessage(unknown: string): string {
  return `The step handler reported ${unknown}, which this orchestrator does not accept. Nothing of the report was stored. Deploy matching versions of both sides, then retry the run.`;
}

/** Rejects a report that is invalid or has data that this code does not know, and pauses the run (SEC10, VER2). */
function refuseReport(draft: Draft, message: string): Reply {
  const error = errorValue("PROTOCOL_MISMATCH", message);
  draft.abort({ type: "superseded" });
  pause(draft, { ...error, category: "RUNTIME_ERROR" });
  return reject("superseded");
}

function reject(reason: "superseded" | "ended"): Reply {
  return { type: "report", answer: { accepted: false, reason } };
}

/** Whether the run may park: only if the execution has received each outcome and each due retry. */
function mayPark(draft: Draft, { seq, now }: ExecutionEvent & { type: "parked" }): boolean {
  const { status, retriedAt = 0 } = draft.header;
  const unseen = draft.updates || draft.entries.some(isOutcome) || now < retriedAt || hasUnseenPlace(draft);
  return !unseen && draft.state.lastOutcomeSeq <= seq && status === "running";
}

function apply(draft: Draft, event: Exclude<ExecutionEvent, { type: "parked" }>, taken: Set<string>): void {
  const unwinding = draft.header.unwinding !== undefined;
  switch (event.type) {
    case "race.opened":
      return unwinding ? undefined : openRace(draft, event);
    case "cleanup.started":
      return draft.change({ cleanupBy: undefined });
    case "cleanup.timed_out":
      return draft.change({ cleanup: "timed out" });
    case "unparked":
      return draft.header.status === "paused" ? undefined : wake(draft);
    case "run.completed":
      return unwinding ? startExecution(draft) : end(draft, "completed", { output: event.output });
    case "run.failed":
      return unwinding ? startExecution(draft) : end(draft, "failed", { error: toRunError(event.error, event.step) });
    case "run.unwound":
      return endUnwound(draft);
    case "run.diverged":
      draft.abort({ type: "superseded" });
      return pause(draft, { ...event.error, category: "RUNTIME_ERROR" });
    default:
      return applyToOperation(draft, event, taken);
  }
}

/** Notes that a step handler does not report where the function requests operations, as older versions do (RES3). */
function notePlace(draft: Draft, event: OperationEvents, isNew: boolean): void {
  draft.event = event;
  if (event.nth !== 1 || event.after !== undefined || draft.header.recordsPlaces !== true) return;
  if (isNew) draft.change({ recordsPlaces: undefined });
}

/**
 * Whether the journal has no room for an event (LIM1). The execution waits for the outcomes of compensations and of clean-up
 * code before the run ends, so they have room of their own. Each compensation is of a step in the journal.
 */
function isBeyondLimit(draft: Draft, { op, shielded }: OperationEvents): boolean {
  if (isCompensation(op)) return false;
  return draft.isJournalFull(shielded === true ? HOST_LIMITS.cleanupEntries : 0);
}

function applyToOperation(draft: Draft, event: OperationEvents, taken: Set<string>): void {
  const { state, header } = draft;
  const known = state.operations.get(event.op);
  // An outcome is final: a repeated report changes nothing (DUR3).
  if (known?.ended === true || draft.hasEnded(event.op)) return;
  if (event.type === "step.failed" && event.attempt <= (known?.attempts ?? 0)) return;
  if (header.unwinding !== undefined && !isAcceptedWhileUnwinding(event)) return;
  if (event.type === "stream.chunks") return appendChunks(draft, event);
  if (event.type === "step.wants") return event.attempt > (known?.attempts ?? 0) ? wantPlace(draft, event) : undefined;
  const isNew = known === undefined && !draft.hasEntry(event.op);
  notePlace(draft, event, isNew);
  if (isBeyondLimit(draft, event)) {
    if (header.unwinding !== undefined) return;
    return stopAtLimit(draft, `The run's journal has ${draft.context.limits.journalEntries} entries`);
  }
  switch (event.type) {
    case "step.started":
      return startStep(draft, event);
    case "step.completed":
      return completeStep(draft, event);
    case "step.failed":
      return failAttempt(draft, event);
    case "inherited":
      return inheritOutcome(draft, event);
    case "wait.opened":
      return openWait(draft, event, taken);
    case "wait.released":
      return releaseAborted(draft, event);
    case "child.started":
      return isNew ? startChild(draft, event) : undefined;
    case "run.unwinding":
      return startUnwinding(draft, event, toRunError(event.error, event.step));
    case "metadata.changed":
      return isNew ? applyMetadata(draft, event) : undefined;
    case "stream.started":
      return startStream(draft, event);
  }
}
