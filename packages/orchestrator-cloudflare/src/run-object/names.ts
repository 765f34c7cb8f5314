/**
 * The names of Durable Objects (SEC2).
 *
 * Owns: that two tenants' runs with the same id are two objects, and that nothing a caller can choose names an object of
 * another tenant, or one that is no run. Ids hold no control characters, so those separate.
 */

const TENANT = "\u0001";

/** An object's name that no run can have: it answers what is not about a run. */
export const NO_RUN = "\u0000";

export function runObjectName(tenantId: string | undefined, runId: string): string {
  return tenantId === undefined ? runId : `${TENANT}${tenantId}${TENANT}${runId}`;
}
