/**
 * A request that the API refused, or that did not reach it, as the page shows it.
 */
import { ApiError } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { visible } from "./ui/text.tsx";

export interface Failure {
  readonly status: number | undefined;
  readonly code: string;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return { status: error.status, code: error.code, message: error.message };
  return {
    status: undefined,
    code: "CONNECTION_FAILED",
    message: error instanceof Error ? error.message : String(error),
  };
}

export function FailureNote({ failure }: { readonly failure: Failure }): JSX.Element {
  return (
    <p class="note is-bad" role="alert">
      <strong>{failure.status === undefined ? "The server does not answer. " : "The server refused. "}</strong>
      <span>{visible(failure.message.slice(0, 600))}</span>
      {failure.status === undefined && " · The page tries again."}
    </p>
  );
}
