/**
 * Requests of the Worker to coordinators.
 *
 * Owns: the rule that a caller reaches only the coordinators of its own tenant (SEC2), and the refusal of a deployment
 * without their class.
 */
import type { Address } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import { askCoordinator } from "../run-object/messenger.ts";
import { coordinatorOf } from "../run-object/names.ts";
import type { Call } from "./route.ts";

/**
 * Sends a command to a coordinator of the caller's tenant, and returns its answer.
 * @throws ApiRefusal `limits_not_configured`
 */
export async function commandCoordinator(
  { deps, principal }: Call,
  to: Pick<Address, "kind" | "name">,
  command: object,
): Promise<Response> {
  const self = coordinatorOf(to, principal.tenantId);
  const answer = await askCoordinator(deps.coordinatorDO, { self, ask: "command", command });
  if (answer !== undefined) return answer;
  throw new ApiRefusal(
    "limits_not_configured",
    "This deployment has no objects of limits, schedules and events. Bind the class CoordinatorDO as COORDINATOR_DO.",
  );
}
