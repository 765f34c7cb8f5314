/**
 * The errors that the client throws.
 *
 * Owns: three kinds of errors, each with a class and a `code`: the API refused the request, all attempts to reach the API
 * failed, or the run ended without a result.
 */
import { type RunErrorInfo, type RunResult, type RunStatus, errorDocUrl } from "@holdfast/protocol";

/** The API refused the request. docs/reference/errors.md lists the values of `code`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly details: unknown;
  /** The page about the code; `undefined` if the answer has none. */
  readonly docUrl: string | undefined;

  constructor(what: string, status: number, code: string, message: string, details?: unknown, docUrl?: string) {
    super(`${what} answered ${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
    this.details = details;
    this.docUrl = docUrl;
  }
}

/** All attempts to reach the API failed or timed out. The message names the address; `cause` is the last failure. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code = "CONNECTION_FAILED";
}

/** Names the API's address and the reason: the message of `fetch` itself is often no more than "fetch failed". */
export function unreachable(what: string, url: string, cause: unknown): ConnectionError {
  // A URL may have a password; its origin has none.
  const message = `${what} could not be sent to ${new URL(url).origin}: ${reasonOf(cause)}`;
  return new ConnectionError(message, { cause });
}

/** Returns the message of the innermost cause. A host with several addresses fails with an error for each. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(reasonOf))].join("; ");
  if (error.cause !== undefined) return reasonOf(error.cause);
  const { code } = error as { readonly code?: string };
  // The text of OpenSSL is a list of internals.
  if (`${code} ${error.message}`.toLowerCase().replaceAll("_", " ").includes("wrong version number"))
    return "the server there does not speak TLS. Is its URL http://…?";
  if (error.message === "") return code ?? error.name;
  return typeof code === "string" && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}

/** The run has ended without a result. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
  readonly code: string;
  readonly status: RunStatus;
  readonly error: RunErrorInfo | undefined;
  /** What the wait for the result read. `get()` of the run has the record. */
  readonly run: RunResult;
  /** The page about the code; `undefined` if the code is not one of Holdfast. */
  readonly docUrl: string | undefined;

  constructor(run: RunResult) {
    const { id, status, error } = run;
    const where = error?.step === undefined ? "" : ` in step ${JSON.stringify(error.step)}`;
    super(`Run ${JSON.stringify(id)} ended ${status}${error === undefined ? "" : `${where}: ${error.message}`}`);
    this.code = String(error?.code ?? "RUN_FAILED");
    this.status = status;
    this.error = error;
    this.run = run;
    this.docUrl = errorDocUrl(error?.code);
  }
}
