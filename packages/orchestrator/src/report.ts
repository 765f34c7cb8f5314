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
  type WaitpointKind,
  changeMetadata,
  isOutcome,
  isTerminal,
  metadataFits,
  parseOperationId,
} from "@holdfast/protocol";
import { stopAtLimit } from "./cancel.ts";
import { startChild } from "./children.ts";
import { takeKept } from "./deliver.ts";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import type { OpenWait, RunError } from "./run-header.ts";
import { type TokenRow, readInherited } from "./run-state.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";
import { tokenKey } from "./store.ts";
import { appendChunks, endStream, startStream } from "./streams.ts";
import { beginUnwinding, endUnwound, isHeardWhileUnwinding } from "./unwinding.ts";

const WAITPOINT_OF = { sleep: "DATETIME", event: "EVENT", signal: "SIGNAL", token: "MANUAL" } as const satisfies Record<
  string,
  WaitpointKind
>;

/** Commits a report as a whole, or refuses it (E2). */
export function report(draft: Draft, input: Input & { type: "report" }): Reply {
  const { epoch, asked, events, remote } = input.report;
  if (isTerminal(draft.header.status)) return refuse("ended");
  if (epoch !== draft.header.epoch || draft.begins || draft.header.paused?.by === "engine") return refuse("superseded");
  draft.asked = Math.max(draft.asked, asked);
  draft.remote = remote === true;
  if (draft.header.dispatch !== undefined) draft.change({ dispatch: undefined });
  const taken = new Set<string>();
  let parks = false;
  for (const event of events) {
    if (isTerminal(draft.header.status)) break;
    if (event.type === "parked") parks = mayPark(draft, event);
    else apply(draft, event, taken);
  }
  // The code ended without knowing that it was stopped: another execution undoes what it did (CAN1).
  if (draft.begins) return refuse("superseded");
  if (parks) draft.change({ status: "waiting", watchdogAt: undefined });
  const parked = parks ? { parked: true as const } : {};
  return { type: "report", answer: { accepted: true, entries: draft.entries, now: draft.now, ...parked } };
}

function refuse(reason: "superseded" | "ended"): Reply {
  return { type: "report", answer: { accepted: false, reason } };
}

/** A run parks only if the execution has seen all there is to see, what this very report brought included. */
function mayPark(draft: Draft, { seq, now }: ExecutionEvent & { type: "parked" }): boolean {
  const { status, retriedAt = 0 } = draft.header;
  const news = draft.pokes || draft.entries.some(isOutcome) || now < retriedAt;
  return !news && draft.state.lastOutcomeSeq <= seq && status === "running";
}

function apply(draft: Draft, event: Exclude<ExecutionEvent, { type: "parked" }>, taken: Set<string>): void {
  const unwinding = draft.header.unwinding !== undefined;
  switch (event.type) {
    case "unparked":
      if (draft.header.status !== "paused") draft.wake();
      return;
    case "run.completed":
      return unwinding ? draft.begin() : draft.end("completed", { output: event.output });
    case "run.failed":
      return unwinding ? draft.begin() : draft.end("failed", { error: toRunError(event.error, event.step) });
    case "run.unwound":
      return endUnwound(draft);
    case "run.diverged":
      draft.abort({ type: "superseded" });
      return draft.pause({ ...event.error, category: "RUNTIME_ERROR" });
    default:
      return applyToOperation(draft, event, taken);
  }
}

function applyToOperation(draft: Draft, event: OperationEvents, taken: Set<string>): void {
  const { state, header } = draft;
  const known = state.operations.get(event.op);
  // An operation that has ended stays as it ended: a report that is repeated changes nothing (DUR3).
  if (known?.ended === true || draft.hasEnded(event.op)) return;
  if (event.type === "step.failed" && event.attempt <= (known?.attempts ?? 0)) return;
  if (header.unwinding !== undefined && !isHeardWhileUnwinding(event.op)) return;
  if (event.type === "stream.chunks") return appendChunks(draft, event);
  if (draft.journalIsFull && header.unwinding === undefined)
    return stopAtLimit(draft, `The run's journal holds ${LIMITS.journalEntries} entries`);
  switch (event.type) {
    case "wait.opened":
      return openWait(draft, event, taken);
    case "step.failed":
      return failAttempt(draft, event);
    case "inherited":
      return inherit(draft, event);
    case "child.started":
      return known === undefined ? startChild(draft, event) : undefined;
    case "run.unwinding":
      return beginUnwinding(draft, event, toRunError(event.error, event.step));
    case "metadata.changed":
      return known === undefined ? applyMetadata(draft, event) : undefined;
    case "stream.started":
      return startStream(draft, event);
    case "step.completed":
      endStream(draft, event.op);
      return journal(draft, event);
    case "step.started":
      return journal(draft, event);
  }
}

function journal(draft: Draft, event: OperationEvents & { type: "step.started" | "step.completed" }): void {
  const { nth, quiet, ...body } = event;
  draft.append(body, nth, quiet);
}

function failAttempt(draft: Draft, event: OperationEvents & { type: "step.failed" }): void {
  const { op, nth, attempt, startedAt, error, retry, retryAfterMs, quiet } = event;
  if (retry === null || attempt >= retry.max) {
    endStream(draft, op);
    draft.append({ type: "step.failed", op, attempt, startedAt, error }, nth, quiet);
    return;
  }
  const given = Number.isFinite(retryAfterMs)
    ? Math.min(Math.max(retryAfterMs as number, 0), LIMITS.durationMs)
    : undefined;
  const delayMs = given ?? computeBackoffDelayMs(retry, attempt, `${draft.header.seed}/${op}`);
  const retryAt = draft.now + delayMs;
  draft.append({ type: "step.retrying", op, attempt, startedAt, retryAt, error }, nth);
  if (retryAt < (draft.header.retryAt ?? Infinity)) draft.change({ retryAt });
}

/** An outcome that a resumed run takes over takes its place in the journal now that it is asked for (RES1, RES2). */
function inherit(draft: Draft, event: OperationEvents & { type: "inherited" }): void {
  const outcome = readInherited(draft.state).find((body) => body.op === event.op);
  if (outcome === undefined) return;
  const compensable = outcome.type === "step.completed" && event.compensable ? { compensable: true as const } : {};
  draft.append({ ...outcome, ...compensable }, event.nth, true);
}

function applyMetadata(draft: Draft, event: OperationEvents & { type: "metadata.changed" }): void {
  const { op, nth, change } = event;
  const metadata = changeMetadata(draft.header.metadata, change);
  if (!metadataFits(metadata))
    return stopAtLimit(draft, `The run's metadata takes more than ${LIMITS.metadataChars} characters`);
  draft.append({ type: "metadata.changed", op, change }, nth);
  draft.change({ metadata });
}

function openWait(draft: Draft, event: OperationEvents & { type: "wait.opened" }, taken: Set<string>): void {
  const { op, nth, afterMs, tokenId, match } = event;
  if (draft.header.waits.some((open) => open.op === op)) return;
  if (draft.header.waits.length >= LIMITS.openWaits) {
    return stopAtLimit(draft, `The run has ${LIMITS.openWaits} waits open at one time`);
  }
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
    ...(match === undefined ? {} : { match }),
  };
  if (tokenId !== undefined)
    draft.put(tokenKey(tokenId), {
      v: FORMAT_VERSION,
      op,
      state: "open",
      ...(event.public === true ? { public: true } : {}),
    } satisfies TokenRow);
  if (!takeKept(draft, wait, taken)) draft.change({ waits: [...draft.header.waits, wait] });
}

/** What the record says of an error that the workflow's code threw: its own code, else whether a step or the code threw. */
function toRunError(error: ErrorValue, step: OperationId | undefined): RunError {
  const code = error.code ?? (step === undefined ? "WORKFLOW_FAILED" : "STEP_FAILED");
  const category = code === "STEP_INTERRUPTED" ? "RUNTIME_ERROR" : "USER_ERROR";
  return { ...error, code, category, ...(step === undefined ? {} : { step }) };
}
