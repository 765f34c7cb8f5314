/**
 * What the client throws.
 *
 * Owns: three kinds of trouble, told apart by class and by `code`: the API refused, it could not be reached, the run ended
 * otherwise than with a result.
 */
import type { RunErrorInfo, RunRecord, RunStatus } from "@holdfast/protocol";

/** The API answered, and refused. `code` is one of docs/errors.md. */
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

/** The API could not be reached, or not in time, however often it was tried. `cause` is the last trouble. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code = "CONNECTION_FAILED";
}

/** The run has ended, and not with a result. */
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
    this.code = error?.code ?? "RUN_FAILED";
    this.status = status;
    this.error = error;
    this.run = run;
  }
}
