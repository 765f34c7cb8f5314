/**
 * Opens a dialog over the page, in the frame that first shows it.
 *
 * Owns: when it opens, and that a press beside it moves no focus. Effects that run after a frame would leave a moment in
 * which the page is shown without its dialog: a key or the second click of a double click would still reach the page.
 */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Returns the reference of the dialog. `focus` is called when it is open, for a focus other than that of the browser. */
export function useModal(focus?: (dialog: HTMLDialogElement) => void): RefObject<HTMLDialogElement | null> {
  const reference = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = reference.current;
    dialog?.showModal();
    if (dialog !== null) focus?.(dialog);
  }, []);
  useBackdrop(reference);
  return reference;
}

/** A press beside the dialog belongs to the dialog, where the browser would give it the focus. */
export function useBackdrop(reference: RefObject<HTMLDialogElement | null>): void {
  useLayoutEffect(() => {
    const dialog = reference.current;
    const onPress = (event: Event): void => {
      if (event.target === dialog) event.preventDefault();
    };
    dialog?.addEventListener("mousedown", onPress);
    return () => dialog?.removeEventListener("mousedown", onPress);
  }, []);
}

/** Puts the focus in the first field of the form in a dialog. One without fields gives it to its title. */
export function focusFirstField(dialog: HTMLDialogElement): void {
  const first = dialog.querySelector<HTMLElement>("form :is(input, textarea, select)");
  (first ?? dialog.querySelector<HTMLElement>("h2"))?.focus();
}
