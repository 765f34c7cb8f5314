/**
 * The trigger of a run in memory.
 *
 * Owns: the attributes that a test does not set, the seed, and what only one run has.
 */
import type { ChildTrigger, Unique } from "@holdfast/orchestrator";
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

/** The seed of a run that a message starts. */
export function seedOf(size: number): string {
  return SEED.replace("0", String(size % 10));
}

/** What only one run has. `created`: how often the run was made. */
export function uniqueOf(order: number, created: number): Unique {
  return {
    incarnation: `${order}${String(created).padStart(8, "0")}`.padStart(16, "0"),
    publicMac: "public-tokens-of-tests",
  };
}
