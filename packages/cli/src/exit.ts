/**
 * The exit codes of the command, and the failure that each stands for (CLI2).
 *
 * Owns: the table from errors to codes and to text for people. It knows the client's errors by their names, so that a verb
 * that needs no client does not load it.
 */
import { type Text, safe } from "./output/safe-text.ts";

export const EXIT = {
  done: 0,
  /** The run ended without a result. */
  runFailed: 1,
  /** The command line, the input or the configuration is wrong. */
  usage: 2,
  notFound: 3,
  /** The API refused the request, or a part of many. */
  refused: 4,
  unauthorized: 5,
  /** The API cannot be reached, or a time limit passed. */
  unreachable: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line, the input or the configuration is wrong. The message says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The limit of `--timeout` passed. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** A failure that the verb has reported already. */
export class Reported extends Error {
  override readonly name = "Reported";
  readonly exit: ExitCode;

  constructor(exit: ExitCode) {
    super("reported");
    this.exit = exit;
  }
}

export interface ApiFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  readonly docUrl?: string | undefined;
}

/** Returns the error as a refusal of the API, if it is one. */
export function asApiFailure(error: unknown): ApiFailure | undefined {
  return error instanceof Error && error.name === "ApiError" ? (error as Error & ApiFailure) : undefined;
}

function isConnectionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === "ConnectionError";
}

/** Whether the same request may succeed later: the API cannot be reached, or it failed on its side. */
export function isTemporary(error: unknown): boolean {
  const failure = asApiFailure(error);
  if (failure === undefined) return isConnectionFailure(error);
  return failure.code !== "auth_not_configured" && isTemporaryStatus(failure.status);
}

/** Whether a server that has answered before may answer again: a proxy answers for one that restarts as it likes. */
export function mayReturn(error: unknown): boolean {
  return isTemporary(error) || asApiFailure(error)?.code === "unknown";
}

export function exitCodeOf(error: unknown): ExitCode {
  const failure = asApiFailure(error);
  if (failure !== undefined) return exitCodeOfApi(failure);
  if (error instanceof Reported) return error.exit;
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof TimedOut || isConnectionFailure(error)) return EXIT.unreachable;
  if (error instanceof Error && error.name === "RunFailedError") return EXIT.runFailed;
  return EXIT.usage;
}

function exitCodeOfApi({ status, code }: ApiFailure): ExitCode {
  // Something else than Holdfast answered: the URL is wrong, or a proxy has no connection to the API.
  if (code === "unknown" || code === "route_not_found") return EXIT.unreachable;
  if (status === 404) return EXIT.notFound;
  if (status === 401 || status === 403 || code.startsWith("auth_")) return EXIT.unauthorized;
  if (status === 400) return EXIT.usage;
  // A repetition does not help.
  if (code === "misconfigured" || code === "newer_format") return EXIT.refused;
  return isTemporaryStatus(status) ? EXIT.unreachable : EXIT.refused;
}

function isTemporaryStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * Describes a failure for people: what happened, then what to do, one line each.
 * @param tokenFrom Where the token of the requests comes from.
 */
export function describeError(error: unknown, tokenFrom?: string): readonly Text[] {
  const failure = asApiFailure(error);
  if (failure !== undefined) {
    const [request, reason] = partsOf(failure);
    return [
      safe`${failure.code}: ${reason}`,
      ...request,
      ...issuesOf(failure),
      ...byOf(failure),
      ...remedyOf(failure, tokenFrom),
      ...docUrlOf(failure),
    ];
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isConnectionFailure(error))
    return [
      safe`${message}`,
      safe`Check the URL, and that the server runs. "holdfast dev" starts one on this machine.`,
    ];
  return message.split("\n").map((line) => safe`${line}`);
}

/** Splits the client's message: people want the reason first. */
function partsOf({ message, status, code }: ApiFailure): readonly [request: readonly Text[], reason: string] {
  const middle = ` answered ${status} ${code}: `;
  const at = message.indexOf(middle);
  if (at < 0) return [[], message];
  return [[safe`  ${message.slice(0, at)} answered ${status}`], message.slice(at + middle.length)];
}

function issuesOf({ details }: ApiFailure): readonly Text[] {
  const { issues } = (details ?? {}) as { readonly issues?: unknown };
  if (!Array.isArray(issues)) return [];
  return issues.map((issue: { readonly path?: unknown; readonly message?: unknown } | null) => {
    const { path, message } = issue ?? {};
    return safe`  ${String(path)}: ${String(message)}`;
  });
}

/** Who answered before. */
function byOf({ details }: ApiFailure): readonly Text[] {
  const { by } = (details ?? {}) as { readonly by?: unknown };
  return typeof by === "string" ? [safe`  by ${by}`] : [];
}

const REMEDIES: Readonly<Record<string, string>> = {
  index_not_configured: "Verbs with the id of a run work without an index; list, count and --where do not.",
  workflow_not_found: "holdfast workflows lists what this server has.",
  unknown: "Check the URL: something other than Holdfast answers there.",
};

function docUrlOf({ docUrl }: ApiFailure): readonly Text[] {
  return typeof docUrl === "string" ? [safe`See ${docUrl}`] : [];
}

function remedyOf({ code }: ApiFailure, tokenFrom: string | undefined): readonly Text[] {
  const remedy = code === "unauthorized" ? remedyForToken(tokenFrom) : REMEDIES[code];
  return remedy === undefined ? [] : [safe`${remedy}`];
}

/** What to do about a refused token. `tokenFrom`: its source, if one was sent. */
export function remedyForToken(tokenFrom: string | undefined): string {
  if (tokenFrom === undefined) return "No token was sent. Run holdfast login, or set HOLDFAST_TOKEN.";
  const rejected = `The server rejects the token from ${tokenFrom}.`;
  // It wins over every other token, so a login would change nothing.
  if (tokenFrom === "HOLDFAST_TOKEN") return `${rejected} Correct this variable, or unset it to use a profile.`;
  return `${rejected} Run holdfast login, or set HOLDFAST_TOKEN.`;
}
