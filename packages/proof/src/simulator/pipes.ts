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

/** What happens to one request of the pipe of turns, or to the instance that it reaches. */
export type TurnFault = "lost" | "answer lost" | "twice" | "late" | "restart" | "elsewhere";

export const TURN_FAULTS: readonly TurnFault[] = ["lost", "answer lost", "twice", "late", "restart", "elsewhere"];
/** Without sessions, a request that arrives a second time executes again: no loss of an execution explains that. */
export const STATELESS_FAULTS: readonly TurnFault[] = ["lost", "late", "restart", "elsewhere"];

/** What happens to an upgrade or a frame of a connection, or to the instance at its other end. */
export type FrameFault =
  | "lost"
  | "refused"
  | "silent"
  | "cut before"
  | "cut after"
  | "twice"
  | "late"
  | "restart"
  | "elsewhere"
  | "drain";

export const FRAME_FAULTS: readonly FrameFault[] = [
  "lost",
  "refused",
  "silent",
  "cut before",
  "cut before",
  "cut after",
  "cut after",
  "twice",
  "late",
  "restart",
  "elsewhere",
  "drain",
];

/** The bounds of each instance of a step handler. */
export interface HandlerBounds {
  readonly sessionsMax: number;
  readonly idleMsMax: number;
  readonly holdMs: number;
  readonly stateless: boolean;
  /** The number of connections that an instance, and the process of the orchestrator, have. Absent: none. */
  readonly connectionsMax?: number;
  /** The turns of a busy period before a connection opens. */
  readonly connectAfter?: number;
}

export function makeHandlerBounds(random: Random, needsSessions: boolean): HandlerBounds {
  return {
    sessionsMax: random.pick([1, 2, 1_000]),
    idleMsMax: random.pick([500, 5_000, 300_000]),
    holdMs: random.pick([100, 2_000, 20_000]),
    stateless: random.chance(0.3) && !needsSessions,
  };
}
