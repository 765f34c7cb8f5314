/**
 * The form of one action on a limit, a schedule or an event: what it does, its fields, the request, and the answer.
 *
 * Owns: sending, and the dialog. Nothing is sent before the reader presses the button, which has the name of the action.
 */
import { ApiError } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isLost } from "../act/answer.tsx";
import { RequestView } from "../act/copy.tsx";
import type { ApiRequest } from "../act/request.ts";
import { plainMessage } from "../act/send.ts";
import type { Command } from "../act/shell.ts";
import { issuesOf } from "../failure.tsx";
import { focusFirstField, useModal } from "../ui/modal.ts";
import { Text, visible } from "../ui/text.tsx";

export interface OperationProps {
  readonly name: string;
  /** What the action is about. */
  readonly subject: string;
  readonly does: ComponentChildren;
  /** Which scope a token needs for it. */
  readonly scope: "operate" | "trigger" | "deliver" | "read";
  readonly isDestructive?: boolean;
  readonly request: ApiRequest;
  readonly command: Command | undefined;
  /** A field is wrong, so nothing is sent. */
  readonly isInvalid?: boolean;
  /** Sends the request, and returns what the reader sees of the answer. */
  readonly send: () => Promise<ComponentChildren>;
  readonly onClose: () => void;
  /** The fields. */
  readonly children?: ComponentChildren;
}

interface Outcome {
  readonly answer?: ComponentChildren;
  readonly error?: unknown;
}

export function OperationDialog(props: OperationProps): JSX.Element {
  const { name, subject, onClose } = props;
  const [before] = useState(document.activeElement);
  const dialog = useModal(focusFirstField);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement) before.focus();
    },
    [before],
  );
  return (
    <dialog ref={dialog} class="act" aria-labelledby="operation-title" onClose={onClose}>
      <header class="act-top">
        <h2 id="operation-title" tabIndex={-1}>
          {name}
        </h2>
        <span class="mono act-run">
          <Text of={subject} max={120} />
        </span>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      <OperationForm {...props} onClose={() => dialog.current?.close()} />
    </dialog>
  );
}

function OperationForm(props: OperationProps): JSX.Element {
  const { does, scope, request, command, isInvalid = false, children, send } = props;
  const [isSending, setSending] = useState(false);
  const [isTried, setTried] = useState(false);
  const [times, setTimes] = useState(0);
  const [outcome, setOutcome] = useState<Outcome>({});
  const submit = async (): Promise<void> => {
    setTried(true);
    if (isInvalid || isSending) return;
    setSending(true);
    setOutcome({});
    setOutcome(await attempt(send));
    setTimes((one) => one + 1);
    setSending(false);
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    void submit();
  };
  return (
    <form class={isTried ? "act-form is-tried" : "act-form"} noValidate onSubmit={onSubmit}>
      <p class="muted">
        {does} It needs the scope <code>{scope}</code>.
      </p>
      {children}
      <RequestView request={request} command={command} />
      <footer class="act-end">
        <Answer outcome={outcome} />
        <Buttons {...props} isSending={isSending} times={times} />
      </footer>
    </form>
  );
}

async function attempt(send: () => Promise<ComponentChildren>): Promise<Outcome> {
  try {
    return { answer: await send() };
  } catch (error) {
    return { error };
  }
}

function Answer({ outcome: { answer, error } }: { readonly outcome: Outcome }): JSX.Element {
  return (
    <div class="act-answer" aria-live="polite">
      {answer !== undefined && <div class="note is-good">{answer}</div>}
      {error !== undefined && (
        <div class="note is-bad" role="alert">
          <strong>
            {isLost(error) ? "There was no answer, so it is not known what happened. " : "The server refused. "}
          </strong>
          {visible(errorText(error).slice(0, 600))}
          {isLost(error) && " You may send it again."}
        </div>
      )}
    </div>
  );
}

function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const issues = issuesOf(error).map(({ path, message }) => `${path}: ${message}`);
  return issues.length === 0 ? plainMessage(error) : issues.join("; ");
}

interface ButtonsProps extends OperationProps {
  readonly isSending: boolean;
  readonly times: number;
}

function Buttons({ name, isDestructive = false, isSending, times, onClose }: ButtonsProps): JSX.Element {
  return (
    <div class="act-buttons">
      <button type="button" onClick={onClose}>
        Close
      </button>
      <span class="grow" />
      <button type="submit" class={isDestructive ? "primary is-destructive" : "primary"} disabled={isSending}>
        {isSending ? "Sending…" : times > 0 ? "Send again" : name}
      </button>
    </div>
  );
}
