/**
 * What the server answered to a form, for everyone who looks or listens.
 *
 * Owns: the difference between a refusal and no answer: without one it is unknown what became of the request.
 */
import { ApiError, type RunActionName } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { runPath } from "../router.ts";
import { Text, visible } from "../ui/text.tsx";
import { ACTION_TEXTS } from "./actions.ts";
import { type Sent, afterLostAnswer, mayBeDone, plainMessage } from "./send.ts";

/** What became of a request. */
export interface Outcome {
  readonly sent?: Sent;
  readonly error?: unknown;
}

interface AnswerProps {
  readonly action: RunActionName;
  readonly outcome: Outcome;
  /** An earlier request of this form had no answer. */
  readonly isUncertain: boolean;
  /** It was sent before. */
  readonly isAgain: boolean;
}

export function Answer({ action, outcome, isUncertain, isAgain }: AnswerProps): JSX.Element {
  const { sent, error } = outcome;
  return (
    <div class="act-answer" aria-live="polite">
      {sent !== undefined && (
        <p class="note is-good">
          <SentText sent={sent} isAgain={isAgain} action={action} />
        </p>
      )}
      {error !== undefined && (
        <p class="note is-bad" role="alert">
          <ErrorText error={error} isUncertain={isUncertain} action={action} />
        </p>
      )}
    </div>
  );
}

const DELIVERIES = {
  resolved: "Resolved: a wait took it.",
  buffered: "Buffered: no wait is open for it, so it is stored for a later one.",
  duplicate: "Duplicate: a request with this id was accepted before. Nothing happened twice.",
} as const;

interface SentTextProps {
  readonly sent: Sent;
  readonly isAgain: boolean;
  readonly action: RunActionName;
}

function SentText({ sent, isAgain, action }: SentTextProps): JSX.Element {
  if (sent.kind === "delivered") return <>{DELIVERIES[sent.delivery]}</>;
  if (sent.kind !== "started") return <>{ACTION_TEXTS[action].name}: accepted.</>;
  return (
    <>
      {isAgain ? "The run was started before: " : "Started: "}
      <a class="mono" href={runPath(sent.runId)}>
        <Text of={sent.runId} max={80} />
      </a>
    </>
  );
}

interface ErrorTextProps {
  readonly error: unknown;
  readonly isUncertain: boolean;
  readonly action: RunActionName;
}

function ErrorText({ error, isUncertain, action }: ErrorTextProps): JSX.Element {
  if (isLost(error))
    return (
      <>
        <strong>There was no answer, so it is not known whether the server accepted this. </strong>
        {visible(error instanceof Error ? error.message.slice(0, 300) : String(error))} {afterLostAnswer(action)}
      </>
    );
  const isDone = isUncertain && mayBeDone(action, error);
  return (
    <>
      <strong>{isDone ? "The request before may have done it. " : "The server refused. "}</strong>
      {visible((error instanceof ApiError ? plainMessage(error) : String(error)).slice(0, 600))}
    </>
  );
}

/** Whether it is unknown what became of the request. */
export function isLost(error: unknown): boolean {
  return error !== undefined && (!(error instanceof ApiError) || error.status >= 500);
}
