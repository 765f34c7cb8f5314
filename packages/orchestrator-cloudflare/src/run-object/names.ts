/**
 * The names of Durable Objects (SEC2): of runs, and of coordinators, which are another class.
 *
 * Owns: the rule that runs of different tenants never share an object, and that no id of a caller names an object of
 * another tenant or an object without a run. Ids contain no control characters, so control characters are the separators.
 */

import type { Address } from "@holdfast/protocol";
import type { CoordinatorSelf } from "@holdfast/orchestrator";

const TENANT = "\u0001";

/** In place of a tenant: the object belongs to the whole deployment. No tenant has this id. */
const DEPLOYMENT = "\u0002";

/** The name of an object that no run can have. This object answers requests that are not about a run. */
export const NO_RUN = "\u0000";

export function runObjectName(tenantId: string | undefined, runId: string): string {
  return tenantId === undefined ? runId : `${TENANT}${tenantId}${TENANT}${runId}`;
}

/** The name of a coordinator's object. Only its own name, the last part, may contain control characters. */
export function coordinatorName({ kind, name, tenantId, scope }: CoordinatorSelf): string {
  return [kind, scope === undefined ? (tenantId ?? "") : DEPLOYMENT, name].join(TENANT);
}

/** Returns the coordinator that an address names. `tenantId`: the tenant of the sender. */
export function coordinatorOf({ kind, name, scope, ...to }: Address, tenantId: string | undefined): CoordinatorSelf {
  const tenant = to.tenantId ?? tenantId;
  if (scope !== undefined) return { kind, name, scope };
  return { kind, name, ...(tenant === undefined ? {} : { tenantId: tenant }) };
}
