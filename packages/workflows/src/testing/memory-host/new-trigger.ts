/**
 * The trigger of a run in memory.
 *
 * Owns: the attributes that a test does not set.
 */
import type { ChildTrigger } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";

export function newTrigger(
  runId: string,
  workflowId: string,
  input: unknown,
  more: Partial<ChildTrigger>,
): ChildTrigger {
  const encoded = encodeValue(input, "input");
  return { runId, workflowId, input: encoded, tags: [], environment: "test", triggeredBy: "api", ...more };
}
