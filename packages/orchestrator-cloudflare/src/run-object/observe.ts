/**
 * Telemetry of one run: reports each commit to the callbacks of the deployment (OBS2).
 *
 * Owns: the rule that an error of a callback is logged and does not affect the run.
 */
import { type RunHeader, type RunState, type WriteBatch, readJournal } from "@holdfast/orchestrator";
import { isTerminal } from "@holdfast/protocol";
import { countCommit, exportCounters } from "../telemetry/counters.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Called after each commit. `before`: the header before the commit. `now`: ms since the epoch. */
export function observe(
  { event, ended, counted }: Telemetry,
  state: RunState,
  batch: WriteBatch,
  before: RunHeader | undefined,
  now: number,
): void {
  const { header } = state;
  if (header === undefined) return;
  try {
    const events = countCommit(before, header, batch);
    void exportCounters(counted, now);
    if (event !== undefined) for (const one of events) event(one);
    if (ended === undefined || !isTerminal(header.status) || header.status === before?.status) return;
    ended(header, readJournal(state)).catch(logTelemetryError);
  } catch (error) {
    logTelemetryError(error);
  }
}

function logTelemetryError(error: unknown): void {
  console.error("holdfast: telemetry failed; the run is not affected", error);
}
