/**
 * The errors that the client throws.
 *
 * Owns: three kinds of errors, each with a class and a `code`: the API refused the request, all attempts to reach the API
 * failed, or the run ended without a result.
 */
import type { RunErrorInfo, RunRecord, RunStatus } from "@holdfast/protocol";

/** The API refused the request. docs/errors.md lists the values of `code`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(what: string, status: number, code: string, message: string, details?: unknown) {
    super(`${what} answered ${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** All attempts to reach the API failed or timed out. `cause` is the last failure. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code = "CONNECTION_FAILED";
}

/** The run has ended without a result. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
  readonly code: string;
  readonly status: RunStatus;
  readonly error: RunErrorInfo | undefined;
  readonly run: RunRecord;

  constructor(run: RunRecord) {
    const { id, status, error } = run;
    const where = error?.step === undefined ? "" : ` in step ${JSON.stringify(error.step)}`;
    super(`Run ${JSON.stringify(id)} ended ${status}${error === undefined ? "" : `${where}: ${error.message}`}`);
    this.code = String(error?.code ?? "RUN_FAILED");
    this.status = status;
    this.error = error;
    this.run = run;
  }
}
