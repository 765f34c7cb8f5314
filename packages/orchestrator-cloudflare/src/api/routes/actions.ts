/**
 * `?actions=true`: what the API would answer to each action on a run (ACT1).
 *
 * Owns: the scopes. The run's object knows its state, and the Worker knows the caller. A missing scope is refused first, as
 * in the router.
 */
import { RUN_ACTIONS, type RunAction } from "@holdfast/protocol";
import { type Principal, requireScope } from "../../auth/principal.ts";
import { ApiRefusal } from "../../refusal.ts";

/** Returns the actions with the refusals that the caller gets because of its scopes. */
export function withScopes(actions: readonly RunAction[], principal: Principal, runId: string): RunAction[] {
  return actions.map((one) => ({ ...one, refused: refusalOf(one, principal, runId) ?? one.refused }));
}

function refusalOf({ action }: RunAction, principal: Principal, runId: string): RunAction["refused"] {
  const { verb, scope, path } = RUN_ACTIONS[action];
  try {
    requireScope(principal, scope, `${verb} /api/runs/${encodeURIComponent(runId)}${path === "" ? "" : `/${path}`}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    return { error: error.code, message: error.message };
  }
}
