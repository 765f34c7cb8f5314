/**
 * Steps: the entries of their attempts and outcomes, and the times of their retries.
 *
 * Owns: the orchestrator's part of STEP2 and STEP3, and the outcomes that a resumed run takes over (RES1, RES2).
 */
import { LIMITS, type OperationEvents } from "@holdfast/protocol";
import type { Draft } from "./draft/draft.ts";
import { wake } from "./lifecycle.ts";
import { appendOutcome, endReleased } from "./releases.ts";
import { findInherited, knowOperations } from "./state/run-state.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";
import { endStream } from "./streams.ts";

/** Journals that a `once` step is about to execute its body (DUR3). */
export function startStep(draft: Draft, event: OperationEvents & { type: "step.started" }): void {
  const { nth, quiet, after: _after, use: _use, ...body } = event;
  draft.append(body, nth, quiet);
}

export function completeStep(draft: Draft, event: OperationEvents & { type: "step.completed" }): void {
  endStream(draft, event.op);
  const { nth, quiet, after: _after, use: _use, ...body } = event;
  appendOutcome(draft, body, nth, quiet);
}

/** Journals a failed attempt. Another attempt follows, or the step has failed. */
export function failAttempt(draft: Draft, event: OperationEvents & { type: "step.failed" }): void {
  const { op, nth, attempt, startedAt, error, retry, retryAfterMs, quiet } = event;
  const progress = event.progress === undefined ? {} : { progress: event.progress };
  if (retry === null || attempt >= retry.max) {
    endStream(draft, op);
    appendOutcome(draft, { type: "step.failed", op, attempt, startedAt, error, ...progress }, nth, quiet);
    return;
  }
  const requested =
    retryAfterMs !== undefined && Number.isFinite(retryAfterMs)
      ? Math.min(Math.max(retryAfterMs, 0), LIMITS.durationMs)
      : undefined;
  const delayMs = requested ?? computeBackoffDelayMs(retry, attempt, `${draft.header.seed}/${op}`);
  const journaledAt = draft.at + delayMs;
  const max = Number.isFinite(retry.max) ? { max: retry.max } : {};
  draft.append(
    { type: "step.retrying", op, attempt, startedAt, retryAt: journaledAt, ...max, error, ...progress },
    nth,
  );
  const retryAt = draft.now + delayMs;
  if (retryAt < (draft.header.retryAt ?? Infinity)) draft.change({ retryAt });
}

/**
 * Wakes the run when retries are due, and finds the time of the next one. The execution starts the attempts. Entries have
 * the time of the journal: if the clock is before it, the time of the journal advances to the retry that is due.
 */
export function settleDueRetries(draft: Draft): void {
  const { header, now } = draft;
  if (header.retryAt === undefined || header.retryAt > now) return;
  const next = findNextRetry(draft);
  if (draft.isClockLate && next !== undefined) draft.advanceTo(next);
  const left = untilNextRetryMs(draft);
  draft.change({ retryAt: left === undefined ? undefined : now + left, retriedAt: draft.at });
  wake(draft);
}

/** The time until the next retry is due, ms, on the clock of the journal; `undefined`: there is none. */
export function untilNextRetryMs(draft: Draft): number | undefined {
  const next = findNextRetry(draft);
  return next === undefined ? undefined : next - draft.at;
}

function findNextRetry({ state, at }: Draft): number | undefined {
  const later = [...knowOperations(state).values()].flatMap(({ retryAt, ended }) =>
    !ended && retryAt !== undefined && retryAt > at ? [retryAt] : [],
  );
  return later.length === 0 ? undefined : Math.min(...later);
}

/** Journals an outcome that a resumed run takes over, when the function requests its operation (RES1, RES2). */
export function inheritOutcome(draft: Draft, event: OperationEvents & { type: "inherited" }): void {
  const outcome = findInherited(draft.state, event.from ?? event.op);
  if (outcome === undefined) return;
  // A wait that lost its race in this transition keeps no outcome of the parent (WAIT11).
  const release = draft.releases.get(event.op);
  if (release !== undefined && outcome.type.startsWith("wait.")) return endReleased(draft, event, release);
  const compensable = outcome.type === "step.completed" && event.compensable ? { compensable: true as const } : {};
  appendOutcome(draft, { ...outcome, op: event.op, ...compensable }, event.nth, true);
}
