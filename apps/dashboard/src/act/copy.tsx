/**
 * The request that a form sends, as it will be sent, and as lines to copy.
 *
 * Owns: copying. Where the browser allows none, as on a page without TLS, the text is shown, selected.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { visible } from "../ui/text.tsx";
import { type ApiRequest, requestText } from "./request.ts";
import { type Command, commandText, curlText } from "./shell.ts";

const SHOWN_CHARS = 20_000;

interface RequestViewProps {
  readonly request: ApiRequest;
  readonly command: Command | undefined;
}

export function RequestView({ request, command }: RequestViewProps): JSX.Element {
  const text = requestText(request);
  const line = command && commandText(command);
  return (
    <section class="request" aria-label="The request">
      <div class="request-top">
        <h2>The request</h2>
        <CopyButton text={() => curlText(location.origin, request)}>Copy as curl</CopyButton>
        <CopyButton text={line === undefined ? undefined : () => line}>Copy as command</CopyButton>
      </div>
      <pre tabIndex={0} aria-label="The request as HTTP">
        {visible(text.slice(0, SHOWN_CHARS))}
        {text.length > SHOWN_CHARS && `\n… ${(text.length - SHOWN_CHARS).toLocaleString("en")} more characters`}
      </pre>
      {line === undefined && <p class="muted">The command cannot express this request.</p>}
    </section>
  );
}

interface CopyButtonProps {
  /** `undefined`: there is nothing to copy. */
  readonly text: (() => string) | undefined;
  readonly children: string;
}

function CopyButton({ text, children }: CopyButtonProps): JSX.Element {
  const [state, setState] = useState<"copied" | { readonly text: string }>();
  const area = useRef<HTMLTextAreaElement>(null);
  const copy = async (): Promise<void> => {
    const copied = text?.() ?? "";
    try {
      await navigator.clipboard.writeText(copied);
      setState("copied");
    } catch {
      // There is no clipboard here, or the reader does not allow it.
      setState({ text: copied });
    }
  };
  useEffect(() => area.current?.select(), [state]);
  return (
    <>
      <button type="button" disabled={text === undefined} onClick={() => void copy()}>
        {children}
      </button>
      <span class="copied" aria-live="polite">
        {state === "copied" && "Copied"}
      </span>
      {typeof state === "object" && (
        <textarea ref={area} class="mono copy-text" rows={4} readOnly aria-label={children} value={state.text} />
      )}
    </>
  );
}
