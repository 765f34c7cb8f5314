/**
 * `Prefer: wait=SECONDS`: the caller waits for the end of the run instead of polling (RFC 7240).
 */
import { type WorkerDeps, limitsOf } from "./worker-deps.ts";

/** The description of the header in routes. */
export const WAIT_HEADER = { Prefer: "`wait=SECONDS`, at most 60: delays the answer until the run ends." } as const;

/** Returns the header that confirms a wait (RFC 7240), for an answer that waited as requested; otherwise nothing. */
export function waitApplied(request: Request, deps: WorkerDeps): { readonly "Preference-Applied": string | undefined } {
  const waitMs = preferredWaitMs(request, deps);
  return { "Preference-Applied": waitMs === 0 ? undefined : `wait=${waitMs / 1_000}` };
}

/** Returns the requested wait, ms, at most `limits.preferWaitMs`; 0 without a valid header. */
export function preferredWaitMs(request: Request, deps: WorkerDeps): number {
  const given = request.headers.get("Prefer");
  if (given === null) return 0;
  // A value may be quoted. Other quoted values may contain anything, also the text of a preference.
  const plain = given.replaceAll(/"([^"]*)"/g, (_quoted, value: string) => (/^\d+$/.test(value) ? value : ""));
  const seconds = /(?:^|[,;\s])wait\s*=\s*(\d+)\s*(?:$|[,;])/i.exec(plain)?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1_000, limitsOf(deps).preferWaitMs);
}
