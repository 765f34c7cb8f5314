/**
 * The panel that asks for a token, over the page, which stays as it is.
 */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { ApiError } from "@holdfast/workflows/client";
import { signIn } from "./session.ts";
import { useModal } from "./ui/modal.ts";

export function SignIn(): JSX.Element {
  const dialog = useModal();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { value } = dialog.current?.querySelector("input") ?? { value: "" };
    setBusy(true);
    try {
      await signIn(value.trim());
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  return (
    <dialog ref={dialog} class="sign-in" aria-labelledby="sign-in-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="sign-in-title">Sign in</h2>
        <p>
          Paste a token of this deployment. It stays in this tab until you close it, and is sent to{" "}
          <bdi>{location.host}</bdi> only.
        </p>
        <label>
          Token
          <input type="password" name="token" autocomplete="off" required aria-invalid={problem !== undefined} />
        </label>
        {problem !== undefined && (
          <p class="note is-bad" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </dialog>
  );
}

function problemOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return "The server does not accept this token.";
  const message = error instanceof Error ? error.message : String(error);
  return message.includes("createClient.token") ? "The text has a character that no token has." : message;
}
