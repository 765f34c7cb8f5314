/**
 * A replay of an ended run from its whole journal, for tests.
 *
 * Owns: the comparison of the end of the replay with the stored end.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import type { ExecutionEvent, ExecutionStart } from "@holdfast/protocol";
import { type Replayable, startDryReplay } from "../../replay/dry-replay.ts";
import type { Platform } from "../../replay/platform.ts";

/** Replays `start.journal` and returns the differences between its end and that of the header. Changes nothing. */
export async function replayEnd(
  header: RunHeader,
  start: ExecutionStart,
  workflow: Replayable,
  platform: Platform,
  settle: () => Promise<void>,
): Promise<string[]> {
  // If the end came from outside, the function itself may be at any point.
  const { code } = header.error ?? {};
  const fromOutside = code === "CANCELLED" || code === "WORKFLOW_TIMEOUT" || code === "LIMIT_EXCEEDED";
  if (code === "TERMINATED" || (fromOutside && header.unwinding === undefined)) return [];
  const replay = startDryReplay(workflow, start, platform);
  await settle();
  const verdict = replay.verdict();
  // Code after the last journal entry may behave differently now, but the end must be the same.
  if (verdict.type === "continues" || (verdict.type === "ends" && isEndOf(header, verdict.event))) return [];
  return [`a replay of the journal ends with ${JSON.stringify(verdict)}`];
}

function isEndOf(header: RunHeader, event: ExecutionEvent): boolean {
  if (event.type === "run.completed") return event.output === header.output;
  return event.type !== "run.failed" || event.error.message === header.error?.message;
}
