/**
 * When a run that waits at a gate asks again (L3).
 */
import { HOST_LIMITS } from "@holdfast/protocol";

/** The time until it asks again, ms. `asks`: how often the gate has answered that it waits. */
export function askDelayMs(asks: number): number {
  return Math.min(HOST_LIMITS.askHoldMsMin * HOST_LIMITS.resendFactor ** Math.min(asks, 30), HOST_LIMITS.askHoldMsMax);
}
