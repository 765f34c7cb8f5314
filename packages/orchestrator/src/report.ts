/**
 * What an execution reports.
 *
 * Owns: the fence (DUR6), the journaling of outcomes (DUR2, DUR3), the opening of waits (WAIT1), parking, and the ends
 * that the function itself brings about.
 */
import {
  type ErrorValue,
  type ExecutionEvent,
  FORMAT_VERSION,
  LIMITS,
  type OperationEvents,
  type OperationId,
  errorValue,
  parseOperationId,
} from "@holdfast/protocol";
import { takeKept } from "./deliver.ts";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { type OpenWait, type RunError, type WaitpointKind, isTerminal } from "./run-header.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";
import { tokenKey } from "./store.ts";

const WAITPOINT_OF = { sleep: "DATETIME", event: "EVENT", signal: "SIGNAL", token: "MANUAL" } as const satisfies Record<
  string,
  WaitpointKind
>;

/** Commits a report as a whole, or refuses it (E2). */
export function report(draft: Draft, input: Input & { type: "report" }): Reply {
  const { epoch, asked, events } = input.report;
  if (isTerminal(draft.header.status)) return refuse("ended");
  if (epoch !== draft.header.epoch || draft.begins) return refuse("superseded");
  draft.asked = Math.max(draft.asked, asked);
  if (draft.header.dispatch !== undefined) draft.change({ dispatch: undefined });
  const taken = new Set<string>();
  let parks = false;
  for (const event of events) {
    if (isTerminal(draft.header.status)) break;
    if (event.type === "parked") parks = mayPark(draft, event.seq);
    else apply(draft, event, taken);
  }
  if (parks) draft.change({ status: "waiting", watchdogAt: undefined });
  return { type: "report", answer: { accepted: true, entries: draft.entries, now: draft.now } };
}

function refuse(reason: "superseded" | "ended"): Reply {
  return { type: "report", answer: { accepted: false, reason } };
}

/** A run parks only if the execution has seen every outcome, those of this very report included. */
function mayPark(draft: Draft, seen: number): boolean {
  const news = draft.entries.some((entry) => entry.type !== "wait.opened");
  return !news && draft.state.lastOutcomeSeq <= seen && draft.header.status === "running";
}

function apply(draft: Draft, event: Exclude<ExecutionEvent, { type: "parked" }>, taken: Set<string>): void {
  switch (event.type) {
    case "unparked":
      return draft.wake();
    case "run.completed":
      return draft.end("completed", { output: event.output });
    case "run.failed":
      return draft.end("failed", { error: toRunError(event.error, event.step) });
    case "run.diverged":
      draft.abort({ type: "superseded" });
      return draft.pause({ ...event.error, category: "RUNTIME_ERROR" });
    case "step.started":
    case "step.completed":
    case "step.failed":
    case "wait.opened":
      return applyToOperation(draft, event, taken);
  }
}

function applyToOperation(draft: Draft, event: OperationEvents, taken: Set<string>): void {
  if (draft.journalIsFull) return endFull(draft);
  if (event.type === "wait.opened") return openWait(draft, event, taken);
  // A step that has ended stays as it ended: a report that is repeated changes nothing (DUR3).
  if (draft.state.steps.get(event.op)?.ended === true) return;
  if (event.type === "step.failed") return failAttempt(draft, event);
  const { nth, ...body } = event;
  draft.append(body, nth);
}

function failAttempt(draft: Draft, event: OperationEvents & { type: "step.failed" }): void {
  const { op, nth, attempt, startedAt, error, retry, retryAfterMs } = event;
  if (retry === null || attempt >= retry.max) {
    draft.append({ type: "step.failed", op, attempt, startedAt, error }, nth);
    return;
  }
  const delayMs = retryAfterMs ?? computeBackoffDelayMs(retry, attempt, `${draft.header.seed}/${op}`);
  const retryAt = draft.now + delayMs;
  draft.append({ type: "step.retrying", op, attempt, startedAt, retryAt, error }, nth);
  draft.change({ retries: [...draft.header.retries, { op, at: retryAt }] });
}

function openWait(draft: Draft, event: OperationEvents & { type: "wait.opened" }, taken: Set<string>): void {
  const { op, nth, afterMs, tokenId } = event;
  if (draft.header.waits.some((open) => open.op === op)) return;
  const { kind, name } = parseOperationId(op);
  const wakeAt = event.wakeAt ?? (afterMs === undefined ? undefined : draft.now + afterMs);
  const timing = { ...(wakeAt === undefined ? {} : { wakeAt }), ...(tokenId === undefined ? {} : { tokenId }) };
  draft.append({ type: "wait.opened", op, ...timing }, nth);
  const wait: OpenWait = {
    op,
    nth,
    kind: WAITPOINT_OF[kind as keyof typeof WAITPOINT_OF],
    name,
    openedAt: draft.now,
    ...timing,
  };
  if (tokenId !== undefined) draft.put(tokenKey(tokenId), { v: FORMAT_VERSION, op, state: "open" });
  if (!takeKept(draft, wait, taken)) draft.change({ waits: [...draft.header.waits, wait] });
}

function endFull(draft: Draft): void {
  const error = errorValue(
    "LIMIT_EXCEEDED",
    `The run's journal holds ${LIMITS.journalEntries} entries, which is the limit. Split the work over several runs.`,
  );
  draft.end("failed", { error: { ...error, category: "USER_ERROR" } });
  draft.abort({ type: "superseded" });
}

/** What the record says of an error that the workflow's code threw: its own code, else whether a step or the code threw. */
function toRunError(error: ErrorValue, step: OperationId | undefined): RunError {
  const code = error.code ?? (step === undefined ? "WORKFLOW_FAILED" : "STEP_FAILED");
  const category = code === "STEP_INTERRUPTED" ? "RUNTIME_ERROR" : "USER_ERROR";
  return { ...error, code, category, ...(step === undefined ? {} : { step }) };
}
