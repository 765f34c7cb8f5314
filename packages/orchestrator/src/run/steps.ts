/**
 * Steps: journaling their attempts and outcomes, and when a failed one is tried again.
 *
 * Owns: STEP2 and STEP3 as far as the orchestrator decides them, and outcomes that a resumed run takes over (RES1, RES2).
 */
import { LIMITS, type OperationEvents } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import { wake } from "./lifecycle.ts";
import { knowOperations, readInherited } from "./run-state.ts";
import { computeBackoffDelayMs } from "./step-retry.ts";
import { endStream } from "./streams.ts";

/** A `once` step is about to execute its body (DUR3). */
export function startStep(draft: Draft, event: OperationEvents & { type: "step.started" }): void {
  const { nth, quiet, ...body } = event;
  draft.append(body, nth, quiet);
}

export function completeStep(draft: Draft, event: OperationEvents & { type: "step.completed" }): void {
  endStream(draft, event.op);
  const { nth, quiet, ...body } = event;
  draft.append(body, nth, quiet);
}

/** An attempt failed: another one follows, or the step has failed. */
export function failAttempt(draft: Draft, event: OperationEvents & { type: "step.failed" }): void {
  const { op, nth, attempt, startedAt, error, retry, retryAfterMs, quiet } = event;
  if (retry === null || attempt >= retry.max) {
    endStream(draft, op);
    draft.append({ type: "step.failed", op, attempt, startedAt, error }, nth, quiet);
    return;
  }
  const requested =
    retryAfterMs !== undefined && Number.isFinite(retryAfterMs)
      ? Math.min(Math.max(retryAfterMs, 0), LIMITS.durationMs)
      : undefined;
  const delayMs = requested ?? computeBackoffDelayMs(retry, attempt, `${draft.header.seed}/${op}`);
  const retryAt = draft.now + delayMs;
  draft.append({ type: "step.retrying", op, attempt, startedAt, retryAt, error }, nth);
  if (retryAt < (draft.header.retryAt ?? Infinity)) draft.change({ retryAt });
}

/** The execution starts the attempts that are due; here only the next time is found. */
export function settleDueRetries(draft: Draft): void {
  const { header, now, state } = draft;
  if (header.retryAt === undefined || header.retryAt > now) return;
  const later = [...knowOperations(state).values()].flatMap(({ retryAt, ended }) =>
    !ended && retryAt !== undefined && retryAt > now ? [retryAt] : [],
  );
  draft.change({ retryAt: later.length === 0 ? undefined : Math.min(...later), retriedAt: now });
  wake(draft);
}

/** An outcome that a resumed run takes over gets its place in the journal when it is requested (RES1, RES2). */
export function inheritOutcome(draft: Draft, event: OperationEvents & { type: "inherited" }): void {
  const outcome = readInherited(draft.state).find((body) => body.op === event.op);
  if (outcome === undefined) return;
  const compensable = outcome.type === "step.completed" && event.compensable ? { compensable: true as const } : {};
  draft.append({ ...outcome, ...compensable }, event.nth, true);
}
