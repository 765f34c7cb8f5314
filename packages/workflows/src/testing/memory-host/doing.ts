/**
 * What a run in memory does by itself.
 *
 * Owns: what counts as rest, and which of its alarms are more than a check that its execution lives.
 */
import { type RunHost, nextAlarm } from "@holdfast/orchestrator";
import type { Doing } from "./agenda.ts";

export function doingOf(host: RunHost): Doing {
  const { header } = host.state;
  const bodies = host.stepsInProgress().map(({ op, attempt }) => `${attempt} ${op}`);
  return {
    bodies,
    isAtRest: header?.status !== "running" && bodies.length === 0,
    // The end of its retention changes nothing for another run.
    get isTimed() {
      return header !== undefined && nextAlarm({ ...header, watchdogAt: undefined, expiresAt: undefined }) !== null;
    },
  };
}
