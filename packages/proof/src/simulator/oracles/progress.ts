/**
 * Oracles on the progress of a run.
 *
 * Owns: after the last fault every run ends, and its alarm is its next due time (DUR5).
 */
import { nextAlarm } from "@holdfast/orchestrator";
import { isTerminal } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

/** After the last fault every run ends (DUR5). A run that has not ended is stuck. */
export function checkProgress({ host: { header, store } }: ObservedRun): string[] {
  if (isTerminal(header.status)) return [];
  return [
    `is ${header.status} (${header.error?.code ?? "no error"}: ${header.error?.message ?? ""}), alarm ${store.alarm}`,
  ];
}

/** The alarm always equals the run's next due time, or follows it at once if that has passed (DUR5). */
export function checkAlarm({ host: { header, store, clock } }: ObservedRun): string[] {
  const wanted = nextAlarm(header);
  const past = wanted !== null && store.alarm !== null && store.alarm > wanted && store.alarm <= clock.now() + 2;
  return store.alarm === wanted || past ? [] : [`the alarm (${header.status}) is ${store.alarm} instead of ${wanted}`];
}
