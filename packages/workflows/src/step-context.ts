/**
 * What a step body gets, and the log of a run.
 *
 * Owns: the two types that both the replay engine and the authors' types build on.
 */

/** Writes structured lines. Lines written while a run is replayed are left out. */
export interface Log {
  debug(message: string, data?: unknown): void;
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
}

/** What a step body gets. */
export interface StepContext {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborts when the attempt times out, the run is cancelled or ends. */
  readonly signal: AbortSignal;
  /** Stable across attempts and replays, unique to this operation: hand it to whatever must act once (STEP1). */
  readonly idempotencyKey: string;
  /** The W3C Trace Context of this step: send it as the header `traceparent` with what the body calls. */
  readonly traceparent: string;
  readonly log: Log;
}
