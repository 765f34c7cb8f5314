/**
 * Error codes, and errors as plain data.
 *
 * Owns: the list of codes that Holdfast itself raises, and `ErrorValue`, the form in which an error is journaled and sent.
 * Code recognises an error by its code, never by its class or message, because two bundles contain two copies of a class.
 * The stack of an `ErrorValue` is for operators only (SEC4).
 */
import * as LIMITS from "./author-limits.ts";

/** The codes of errors that end or pause a run or that workflow code can catch. docs/reference/errors.md explains each. */
export const ERROR_CODES = [
  "CANCELLED",
  "CHILDREN_NOT_CONFIGURED",
  "CHILD_RUN_FAILED",
  "COMPENSATED",
  "DISPATCH_FAILED",
  "DISPATCH_REFUSED",
  "EVENTS_NOT_CONFIGURED",
  "EVENT_HISTORY_GONE",
  "EXECUTION_SILENT",
  "EXECUTOR_CRASHED",
  "FATAL",
  "IDEMPOTENCY_CONFLICT",
  "INVALID_ARGUMENT",
  "INVALID_INPUT",
  "INVALID_OUTPUT",
  "LIMITS_NOT_CONFIGURED",
  "LIMIT_DEADLOCK",
  "LIMIT_EXCEEDED",
  "LIMIT_FULL",
  "LIMIT_KEY_INVALID",
  "NESTED_OPERATION",
  "NEWER_FORMAT",
  "NON_DETERMINISM",
  "PROTOCOL_MISMATCH",
  "PUBLIC_TOKENS_NOT_CONFIGURED",
  "QUEUE_TIMEOUT",
  "RELEASED",
  "RETRYABLE",
  "SESSION_LOST",
  "SHIELDED_OPERATION",
  "STEP_FAILED",
  "STEP_INTERRUPTED",
  "STICKY_ROUTING_REQUIRED",
  "TERMINATED",
  "TIMEOUT",
  "TOKEN_IN_USE",
  "TOO_LARGE",
  "UNSERIALIZABLE",
  "WORKFLOW_FAILED",
  "WORKFLOW_NOT_FOUND",
  "WORKFLOW_TIMEOUT",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error as plain data, as journaled and sent. */
export interface ErrorValue {
  readonly name: string;
  readonly message: string;
  /** The code of the original error, if it had one. */
  readonly code?: string;
  /** The encoded `data` of the original error, if it had any. */
  readonly data?: string;
  /** The encoded error itself, if it had more: a numeric code, a cause, members, or own fields (STEP9). */
  readonly original?: string;
  /** The stack, with those of the causes. Only operators see it (SEC4), and the function that catches the error (STEP9). */
  readonly stack?: string;
}

/** Where the site of the documents is. */
export const DOCS_URL = "https://OWNER.github.io/holdfast";

/** Returns the address of the page about one of these codes. */
export function docUrlOf(code: string, base: string = DOCS_URL): string {
  return `${base}/reference/errors/${code}.html`;
}

/** An error that Holdfast raises itself. The message states what happened and what to do. */
export class HoldfastError extends Error {
  readonly code: string;
  override readonly name: string = "HoldfastError";
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The page about the code. */
  get docUrl(): string {
    return docUrlOf(this.code);
  }
}

/** Makes the error of an invalid argument. `where` names the argument, `problem` says what is wrong with it and what to do. */
export function invalid(where: string, problem: string): HoldfastError {
  return new HoldfastError("INVALID_ARGUMENT", `${where}: ${problem}`);
}

/** Cuts a message to the length limit for the journal (LIM1). */
export function boundMessage(message: string): string {
  const max = LIMITS.errorMessageChars;
  return message.length <= max ? message : `${message.slice(0, max - 1)}…`;
}

/** Makes the plain data of an error that Holdfast raises itself. */
export function errorValue(code: ErrorCode, message: string): ErrorValue {
  return { name: "HoldfastError", message: boundMessage(message), code };
}
