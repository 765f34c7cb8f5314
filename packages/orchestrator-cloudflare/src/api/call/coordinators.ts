/**
 * Requests of the Worker to coordinators.
 *
 * Owns: the rule that a caller reaches only the coordinators of its own tenant (SEC2), and the refusal of a deployment
 * without their class.
 */
import type { RequestKey } from "@holdfast/orchestrator";
import type { Address } from "@holdfast/protocol";
import { ApiRefusal } from "../../refusal.ts";
import { askCoordinator } from "../../run-object/messenger.ts";
import { coordinatorOf } from "../../run-object/names.ts";
import type { Call } from "./route.ts";

/**
 * Sends a command to a coordinator of the caller's tenant, and returns its answer. `key`: the same one again has no effect
 * again (API10).
 * @throws ApiRefusal `limits_not_configured`
 */
export async function commandCoordinator(call: Call, to: Target, command: object, key?: RequestKey): Promise<Response> {
  return send(call, to, command, key, "limits_not_configured");
}

/**
 * The same for the object of an event, of a topic, or of their list.
 * @throws ApiRefusal `events_not_configured`
 */
export async function commandEvents(call: Call, to: Target, command: object, key?: RequestKey): Promise<Response> {
  return send(call, to, command, key, "events_not_configured");
}

type Target = Pick<Address, "kind" | "name" | "scope">;

async function send(
  { deps, principal }: Pick<Call, "deps" | "principal">,
  to: Target,
  command: object,
  key: RequestKey | undefined,
  code: "limits_not_configured" | "events_not_configured",
): Promise<Response> {
  const self = coordinatorOf(to, principal.tenantId);
  const answer = await askCoordinator(deps.coordinatorDO, { self, ask: "command", command, key });
  if (answer !== undefined) return answer;
  throw new ApiRefusal(
    code,
    "This deployment has no objects of limits, schedules and events. Bind the class CoordinatorDO as COORDINATOR_DO.",
  );
}
