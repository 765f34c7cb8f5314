/**
 * What did not work, as the page shows it: a request that the API refused, one that did not reach it, or anything else.
 */
import { ApiError, ConnectionError } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { DocLink } from "./doc-link.tsx";
import { visible } from "./ui/text.tsx";

export interface Failure {
  /** Absent: it is no answer of the API. */
  readonly status: number | undefined;
  readonly code: string;
  readonly message: string;
  /** The page about the code. */
  readonly docUrl?: string | undefined;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) {
    const { status, code, message, docUrl } = error;
    return { status, code, message, docUrl };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: undefined, code: error instanceof ConnectionError ? error.code : "FAILED", message };
}

/** Whether the same request fails until the reader signs in again, or the deployment changes. */
export function isLasting({ status }: Failure): boolean {
  return status === 401 || status === 403 || status === 501;
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** What the API names as wrong in a request, by the place in it. */
export function issuesOf({ details }: ApiError): readonly Issue[] {
  const issues: unknown = typeof details === "object" && details !== null ? Reflect.get(details, "issues") : undefined;
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) => {
    if (typeof issue !== "object" || issue === null) return [];
    const [path, message]: unknown[] = [Reflect.get(issue, "path"), Reflect.get(issue, "message")];
    return typeof path === "string" && typeof message === "string" ? [{ path, message }] : [];
  });
}

interface FailureNoteProps {
  readonly failure: Failure;
  /** The page repeats the request by itself. */
  readonly triesAgain?: boolean;
}

export function FailureNote({ failure, triesAgain = false }: FailureNoteProps): JSX.Element {
  const { status, code, message, docUrl } = failure;
  return (
    <p class="note is-bad" role="alert">
      {status !== undefined && <strong>The server refused. </strong>}
      {code === "CONNECTION_FAILED" && <strong>The server does not answer. </strong>}
      <span>{visible(message.slice(0, 600))}</span>
      {docUrl !== undefined && (
        <>
          {" "}
          <DocLink url={docUrl} />
        </>
      )}
      {triesAgain && status === undefined && " · The page tries again."}
    </p>
  );
}
