/**
 * The actions on a run, as readers know them.
 *
 * Owns: their names, what each does, and the order in which they are offered.
 */
import type { RunActionName } from "@holdfast/workflows/client";

export interface ActionText {
  readonly name: string;
  /** What it does, in a line. */
  readonly does: string;
  /** It ends or removes something that cannot be had back. */
  readonly isDestructive?: boolean;
}

export const ACTION_TEXTS: Readonly<Record<RunActionName, ActionText>> = {
  deliverSignal: { name: "Deliver signal", does: "Sends a signal to the run. A wait takes it, now or later." },
  deliverEvent: { name: "Deliver event", does: "Sends an event to the run. A wait takes it, now or later." },
  resolveToken: { name: "Answer token", does: "Answers a token for which the run waits, once." },
  pauseRun: { name: "Pause", does: "Nothing new executes until it is unpaused. Bodies in flight end." },
  unpauseRun: {
    name: "Unpause",
    does: "The run continues. Deliveries and timers of the pause are applied in their order.",
  },
  retryRun: {
    name: "Retry",
    does: "The run continues after the error for which the engine paused it. Fix the cause first.",
  },
  resumeRun: { name: "Resume", does: "Starts a new run from this one. It keeps the results before a step." },
  cancelRun: { name: "Cancel", does: "The run cleans up, undoes its steps, and ends.", isDestructive: true },
  terminateRun: {
    name: "Terminate",
    does: "The run ends at once, without its code. Nothing is undone. Try cancel first.",
    isDestructive: true,
  },
  deleteRun: { name: "Delete", does: "The run and all its data are gone, forever.", isDestructive: true },
};

/** The name of an action, also of one that a newer server lists. */
export function actionName(action: string): string {
  const texts: Readonly<Record<string, ActionText>> = ACTION_TEXTS;
  return Object.hasOwn(texts, action) ? (texts[action]?.name ?? action) : action;
}
