/**
 * The assignee that the reader calls theirs. This browser remembers it.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

const KEY = "holdfast.assignee";

const chosen = signal(localStorage.getItem(KEY) ?? undefined);

export const mine: ReadonlySignal<string | undefined> = chosen;

/** `undefined`: forgets it. */
export function setMine(assignee: string | undefined): void {
  chosen.value = assignee;
  if (assignee === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, assignee);
}
