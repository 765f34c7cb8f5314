/**
 * `Prefer: wait=SECONDS`: a caller that would rather wait for the run than ask again (RFC 7240).
 */
import { type WorkerDeps, limitsOf } from "./worker-deps.ts";

/** The header as routes describe it. */
export const WAIT_HEADER = { Prefer: "`wait=SECONDS`, at most 60: holds the answer." } as const;

/** How long the caller would wait, ms, at most `limits.preferWaitMs`. A header that says something else says nothing. */
export function preferredWaitMs(request: Request, deps: WorkerDeps): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(request.headers.get("Prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1_000, limitsOf(deps).preferWaitMs);
}
