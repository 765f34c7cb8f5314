/**
 * The names of Durable Objects (SEC2).
 *
 * Owns: the rule that runs of different tenants never share an object, and that no id of a caller names an object of
 * another tenant or an object without a run. Ids contain no control characters, so control characters are the separators.
 */

const TENANT = "\u0001";

/** The name of an object that no run can have. This object answers requests that are not about a run. */
export const NO_RUN = "\u0000";

export function runObjectName(tenantId: string | undefined, runId: string): string {
  return tenantId === undefined ? runId : `${TENANT}${tenantId}${TENANT}${runId}`;
}
