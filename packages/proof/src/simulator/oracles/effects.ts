/**
 * Oracle on the effects of a run: the starts of its bodies (DUR3).
 */
import type { ObservedRun } from "./observed-run.ts";

/** Each step that the journal has as completed started at least once (DUR3). */
export function checkEffects({ host: { journal }, started, resumed }: ObservedRun): string[] {
  if (resumed) return [];
  return journal.flatMap((entry) =>
    entry.type === "step.completed" && !started.has(entry.op)
      ? [`${entry.op} completed without a start of its body`]
      : [],
  );
}
