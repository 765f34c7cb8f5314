/**
 * The actions on a run, and what the API would answer to each now (ACT1).
 *
 * Owns: the closed list of the routes that change an existing run, and the shape of an entry. The orchestrator computes the
 * entries; the API adds the scopes.
 */
import { WHY_ACTIONS, type WhyActionName } from "./why.ts";

export type RunActionName = WhyActionName | "pauseRun" | "deleteRun";

interface ActionRoute {
  readonly verb: "POST" | "DELETE";
  readonly scope: "operate" | "trigger" | "deliver";
  /** The end of its path. Empty: the path of the run. */
  readonly path: string;
}

/** By the ids of the routes, in the order of the list. */
export const RUN_ACTIONS: Readonly<Record<RunActionName, ActionRoute>> = {
  deliverSignal: { verb: "POST", ...WHY_ACTIONS.deliverSignal },
  deliverEvent: { verb: "POST", ...WHY_ACTIONS.deliverEvent },
  resolveToken: { verb: "POST", ...WHY_ACTIONS.resolveToken },
  pauseRun: { verb: "POST", scope: "operate", path: "pause" },
  unpauseRun: { verb: "POST", ...WHY_ACTIONS.unpauseRun },
  retryRun: { verb: "POST", ...WHY_ACTIONS.retryRun },
  resumeRun: { verb: "POST", ...WHY_ACTIONS.resumeRun },
  cancelRun: { verb: "POST", ...WHY_ACTIONS.cancelRun },
  terminateRun: { verb: "POST", ...WHY_ACTIONS.terminateRun },
  deleteRun: { verb: "DELETE", scope: "operate", path: "" },
};

/** Absent `refused`: a request without fault is accepted. Present: each request is refused so. */
export interface RunAction {
  /** The id of the route. */
  readonly action: RunActionName;
  readonly refused?: { readonly error: string; readonly message: string } | undefined;
}
