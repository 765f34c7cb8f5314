/**
 * The trigger of a run in memory.
 *
 * Owns: the attributes that a test does not set, and the seed.
 */
import type { ChildTrigger } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";

/** The seed of a run that a test starts. */
export const SEED = "0123456789abcdeffedcba9876543210";

export function newTrigger(
  runId: string,
  workflowId: string,
  input: unknown,
  more: Partial<ChildTrigger>,
): ChildTrigger {
  const encoded = encodeValue(input, "input");
  return { runId, workflowId, input: encoded, tags: [], environment: "test", triggeredBy: "api", ...more };
}
