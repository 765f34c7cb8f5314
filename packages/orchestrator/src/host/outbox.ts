/**
 * An outbox: messages that are rows until they are acknowledged. Pure; the same for every kind of object.
 *
 * Owns: what the header remembers of it, and when messages are sent again: one back-off for all (LIMITS.resend…).
 *
 * Invariants
 * - OB1 While a message is not acknowledged there is a time at which it is sent again (CHILD4, DUR5).
 */
import { LIMITS } from "@holdfast/protocol";

export interface OutboxState {
  /** Messages that are not acknowledged. */
  readonly count: number;
  /** The position of the next message. */
  readonly next: number;
  /** Times that messages were sent again since the last acknowledgement. */
  readonly failures: number;
  /** When they are sent again, ms since the epoch. */
  readonly retryAt?: number;
}

export const EMPTY_OUTBOX: OutboxState = { count: 0, next: 1, failures: 0 };

/** How long an acknowledgement is awaited after so many failures, ms. */
export function resendDelayMs(failures: number, maxMs: number = LIMITS.resendMsMax): number {
  return Math.min(LIMITS.resendMsMin * LIMITS.resendFactor ** Math.min(failures, 30), maxMs);
}

/** A message was put at the position `next`. */
export function posted(outbox: OutboxState, now: number): OutboxState {
  const retryAt = outbox.retryAt ?? now + resendDelayMs(outbox.failures);
  return { ...outbox, count: outbox.count + 1, next: outbox.next + 1, retryAt };
}

/** Messages are due to be sent again; `undefined` if they are not. */
export function settled(outbox: OutboxState, now: number): OutboxState | undefined {
  if (outbox.retryAt === undefined || outbox.retryAt > now) return undefined;
  const failures = outbox.failures + 1;
  return { ...outbox, failures, retryAt: now + resendDelayMs(failures) };
}

/** A message was acknowledged or refused for good, and its row is removed. */
export function removed({ retryAt, ...outbox }: OutboxState): OutboxState {
  const count = outbox.count - 1;
  return { ...outbox, count, failures: 0, ...(count === 0 || retryAt === undefined ? {} : { retryAt }) };
}
