/**
 * Which action is opened, on which run.
 *
 * Owns: the signal. Pages call `openAction` with what they know already; the dialog reads the run itself.
 */
import { type Signal, signal } from "@preact/signals";
import type { RunActionName } from "@holdfast/workflows/client";
import type { Fields } from "./forms.ts";

export interface Opened {
  readonly runId: string;
  /** Absent: the list of all actions. */
  readonly action?: RunActionName | undefined;
  /** What the form has already. */
  readonly given?: Partial<Fields> | undefined;
}

export const opened: Signal<Opened | undefined> = signal(undefined);
/** The run for which the key `.` opens the list of actions. */
export const subject: Signal<string | undefined> = signal(undefined);

/** Opens the form of an action, or the list of actions. Nothing is sent before the reader sends the form. */
export function openAction(runId: string, action?: RunActionName, given?: Partial<Fields>): void {
  opened.value = { runId, action, given };
}
