/**
 * Where the dialog of the actions is: in the frame of every page, once.
 *
 * Owns: loading its code when it is opened first. After it closes, the focus is where it was.
 */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { lazy } from "../ui/lazy.tsx";
import { opened, openAction, subject } from "./opened.ts";

const ActDialog = lazy(async () => (await import("./dialog.tsx")).ActDialog);

export function ActHost(): JSX.Element | null {
  const before = useRef<Element | null>(null);
  const { value } = opened;
  const isOpen = value !== undefined;
  useEffect(() => {
    if (isOpen) before.current = document.activeElement;
  }, [isOpen]);
  if (value === undefined) return null;
  const close = (): void => {
    opened.value = undefined;
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  return (
    <div class="act-host">
      <ActDialog opened={value} onClose={close} key={value.runId} />
    </div>
  );
}

/** The button of a run's page. */
export function ActionsButton({ runId }: { readonly runId: string }): JSX.Element {
  useEffect(() => {
    subject.value = runId;
    return () => {
      if (subject.value === runId) subject.value = undefined;
    };
  }, [runId]);
  return (
    <button
      type="button"
      class="primary"
      aria-haspopup="dialog"
      aria-keyshortcuts="."
      onClick={() => openAction(runId)}
    >
      Actions
    </button>
  );
}
