/**
 * Start messages of an orchestrator that is older than this step handler, which is deployed first (REP8).
 *
 * Owns: the facts that such an orchestrator leaves out, and that it would accept.
 */
import { type ExecutionStart, tenantSegment, tokenUrls } from "@holdfast/protocol";

/** Returns a start with the URLs of tokens. An older orchestrator made them of the run's id, without a MAC. */
export function completeStart(start: ExecutionStart): ExecutionStart {
  const { run } = start;
  if (run.ownTokens !== undefined) return start;
  return { ...start, run: { ...run, ...tokenUrls(run, [tenantSegment(run.tenantId), run.id]) } };
}
