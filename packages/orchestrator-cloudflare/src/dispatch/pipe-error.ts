/**
 * The failure of an exchange with a step handler.
 */
import type { ErrorCode } from "@holdfast/protocol";

type PipeErrorCode = Extract<
  ErrorCode,
  "DISPATCH_FAILED" | "DISPATCH_REFUSED" | "EXECUTOR_CRASHED" | "PROTOCOL_MISMATCH"
>;

export class PipeError extends Error {
  /**
   * `DISPATCH_REFUSED`: the other side rejected the request. `PROTOCOL_MISMATCH`: it sent an invalid message (SEC10). A
   * repetition cannot succeed after these two. `EXECUTOR_CRASHED`: the other side died of this request (DUR7).
   */
  readonly code: PipeErrorCode;

  constructor(message: string, code: PipeErrorCode = "DISPATCH_FAILED") {
    super(message);
    this.code = code;
  }

  get isFinal(): boolean {
    return this.code !== "DISPATCH_FAILED";
  }
}

/** A connection broke before the answer: the turn is repeated at once, as a request. */
export class CutConnection extends PipeError {}

/** The step handler admits no execution now. It has applied nothing of the turn. */
export class NotAdmitted extends PipeError {}

/** 425: a proxy has sent the request twice, or the clocks differ now. The next attempt has a signature of its own. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429]);
/** A server answers so to a request that arrived incomplete, and a router while the step handler after it restarts. */
const TEMPORARY_OF_OTHERS: ReadonlySet<number> = new Set([400, 404]);

/**
 * Whether a status is a final rejection: a 4xx, except these. All other failures may be temporary (DUR8). `byHandler`: the
 * step handler answered, not something before it.
 */
export function isFinal(status: number, byHandler: boolean): boolean {
  if (status < 400 || status >= 500 || TEMPORARY.has(status)) return false;
  return byHandler || !TEMPORARY_OF_OTHERS.has(status);
}
