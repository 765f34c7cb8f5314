/**
 * The assignee that the reader calls theirs. This browser remembers it.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { readChoice, writeChoice } from "../ui/choice.ts";

const KEY = "holdfast.assignee";

const chosen = signal(readChoice(KEY) ?? undefined);

export const mine: ReadonlySignal<string | undefined> = chosen;

/** `undefined`: forgets it. */
export function setMine(assignee: string | undefined): void {
  chosen.value = assignee;
  writeChoice(KEY, assignee);
}
