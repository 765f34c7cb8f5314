/**
 * The argument of a step body, and the log of a run.
 *
 * Owns: the two types that the replay engine and the authors' types share.
 */

/** Writes structured lines. A replay writes no lines again (STR3). */
export interface Log {
  debug(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
}

/** The argument of a step body. */
export interface StepContext {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborts when the attempt times out, or when the run is cancelled or ends. */
  readonly signal: AbortSignal;
  /**
   * Unique to this operation, and equal in all its attempts. Pass it to services that must act only once (STEP1). At most 64
   * ASCII characters. No other run has it: of another tenant, or a later one with the same id (RUN9).
   */
  readonly idempotencyKey: string;
  /** The W3C Trace Context of this step. Send it as the header `traceparent` with requests of the body. */
  readonly traceparent: string;
  readonly log: Log;
  /**
   * Shows how far the body is, in the run's record and to its readers (STEP8). Returns at once and never throws. At most
   * one value a second is sent, the newest one, and only the last one of an attempt is stored. A value over 4,096
   * characters, or one that cannot be stored, is dropped with a line in the log.
   */
  readonly progress: (value: unknown) => void;
}
