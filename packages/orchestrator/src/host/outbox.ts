/**
 * An outbox: messages that are rows until they are acknowledged. Pure, and the same for each kind of object.
 *
 * Owns: the state of an outbox in the header, and the back-off before messages are sent again (HOST_LIMITS.resend…).
 *
 * Invariants
 * - OB1 While a message is not acknowledged, `retryAt` is the time at which it is sent again (CHILD4, DUR5).
 */
import { HOST_LIMITS } from "@holdfast/protocol";

export interface OutboxState {
  /** The number of messages that are not acknowledged. */
  readonly count: number;
  /** The position of the next message. */
  readonly next: number;
  /** How often messages were sent again since the last acknowledgement. */
  readonly failures: number;
  /** When messages are sent again, ms since 1970. */
  readonly retryAt?: number;
}

export const EMPTY_OUTBOX: OutboxState = { count: 0, next: 1, failures: 0 };

/** Returns the delay before messages are sent again, ms: longer after more `failures`, at most `maxMs`. */
export function resendDelayMs(failures: number, maxMs: number = HOST_LIMITS.resendMsMax): number {
  return Math.min(HOST_LIMITS.resendMsMin * HOST_LIMITS.resendFactor ** Math.min(failures, 30), maxMs);
}

/** The state after a message was put at the position `next`. */
export function posted(outbox: OutboxState, now: number): OutboxState {
  const retryAt = outbox.retryAt ?? now + resendDelayMs(outbox.failures);
  return { ...outbox, count: outbox.count + 1, next: outbox.next + 1, retryAt };
}

/** The state after messages that are due are sent again; `undefined` if none are due. */
export function settled(outbox: OutboxState, now: number): OutboxState | undefined {
  if (outbox.retryAt === undefined || outbox.retryAt > now) return undefined;
  const failures = outbox.failures + 1;
  return { ...outbox, failures, retryAt: now + resendDelayMs(failures) };
}

/** The state after a message was acknowledged or rejected finally, and its row is deleted. */
export function removed({ retryAt, ...outbox }: OutboxState): OutboxState {
  const count = outbox.count - 1;
  return { ...outbox, count, failures: 0, ...(count === 0 || retryAt === undefined ? {} : { retryAt }) };
}
