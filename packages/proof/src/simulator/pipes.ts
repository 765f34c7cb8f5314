/**
 * The other side of a pipe: executions that fall silent, and what their dispatcher says about it.
 *
 * Owns: the generation of these faults. The pings of the orchestrator detect what no dispatcher reports (DUR11).
 */
import type { Loss, StartFault } from "@holdfast/workflows/testing";
import type { Random } from "./random.ts";

const LOSSES: readonly Loss[] = ["DISPATCH_FAILED", "SESSION_LOST", "EXECUTOR_CRASHED", "STICKY_ROUTING_REQUIRED"];

export function makeStartFault(random: Random): StartFault {
  return {
    afterReports: random.below(8),
    detectedAfterMs: random.chance(0.4) ? "never" : random.below(20_000),
    loss: random.pick(LOSSES),
  };
}
