/**
 * The errors that workflow code throws and catches.
 *
 * Owns: their classes. Each has a stable `code`. The engine recognises errors by code alone, because two bundles may
 * contain two copies of a class. After a step failed, the workflow catches a plain `Error` with the name, message, code
 * and data of the original (STEP3): compare codes, not classes.
 */
import { type Duration, parseDurationMs } from "@holdfast/protocol";

export interface ErrorOptionsWithData {
  readonly cause?: unknown;
  /** Any value that a step may return. The journal stores it with the error. */
  readonly data?: unknown;
}

class WorkflowError extends Error {
  readonly code: string;
  readonly data: unknown;
  constructor(name: string, code: string, message: string, options: ErrorOptionsWithData = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Object.defineProperty(this, "name", { value: name, enumerable: false, configurable: true });
    this.code = code;
    this.data = options.data;
  }
}

/** Prevents further attempts of the step (STEP3). Code `FATAL`. */
export class FatalError extends WorkflowError {
  constructor(message: string, options?: ErrorOptionsWithData) {
    super("FatalError", "FATAL", message, options);
  }
}

/** Requests another attempt, after `retryAfter` if given (STEP3), up to the policy's `max`. Code `RETRYABLE`. */
export class RetryableError extends WorkflowError {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: ErrorOptionsWithData & { readonly retryAfter?: Duration } = {}) {
    super("RetryableError", "RETRYABLE", message, options);
    const { retryAfter } = options;
    this.retryAfterMs = retryAfter === undefined ? undefined : parseDurationMs(retryAfter, "RetryableError.retryAfter");
  }
}

/** An attempt of a step, or a wait, took longer than its `timeout`. Code `TIMEOUT`. */
export class TimeoutError extends WorkflowError {
  constructor(message: string, options?: ErrorOptionsWithData) {
    super("TimeoutError", "TIMEOUT", message, options);
  }
}

/** What a `ChildRunError` says about the child. */
export interface ChildFailure {
  readonly runId: string;
  /** How the child ended: `failed`, `cancelled`, `compensated` or `compensation_failed`. */
  readonly status: string;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string | undefined };
}

/** A child run did not complete. Code `CHILD_RUN_FAILED`. Its `cause` is the child's error. */
export class ChildRunError extends WorkflowError {
  declare readonly data: ChildFailure;
  constructor(message: string, options: ErrorOptionsWithData & { readonly data: ChildFailure }) {
    super("ChildRunError", "CHILD_RUN_FAILED", message, options);
  }
}

/** The run was cancelled or its time budget is used up. Code `CANCELLED`. */
export class CancelledError extends WorkflowError {
  constructor(message: string, options?: ErrorOptionsWithData) {
    super("CancelledError", "CANCELLED", message, options);
  }
}
