/**
 * Oracle on the row of a run in the index (IDX1, IDX2).
 */
import { isTerminal } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

/** At the end the index equals the run, and no index update is pending (IDX1, IDX2). */
export function checkIndex({ host: { header }, listed }: ObservedRun): string[] {
  if (!isTerminal(header.status)) return [];
  if (header.index?.owed !== undefined) return ["has a pending index update"];
  return listed?.status === header.status ? [] : [`the index says ${listed?.status} instead of ${header.status}`];
}
