/**
 * The variables of the local Worker.
 *
 * Owns: what the local server sets, and what of the user's own wins. `vars` of `wrangler.jsonc` are those of a deployment,
 * so its address is replaced; `.dev.vars` and `.env` are for this machine, so they win.
 */
import type { Project } from "./project.ts";

/** How many executions of a run may end in a row without progress. */
const CRASHES_MAX = 100;

/** `url`, `token`: of the local server. */
export function variablesOf(
  { wrangler, variables }: Project,
  { url, token }: { readonly url: string; readonly token: string },
): Readonly<Record<string, unknown>> {
  const given = { ENVIRONMENT: "development", ...wrangler.vars, PUBLIC_URL: url, ...variables };
  return {
    ...given,
    API_TOKENS: withToken("API_TOKENS" in given ? String(given.API_TOKENS) : "", token),
    ALLOWED_ORIGINS:
      "ALLOWED_ORIGINS" in variables ? variables["ALLOWED_ORIGINS"] : url.replace("127.0.0.1", "localhost"),
    LOG_EVENTS: "all",
    SINGLE_PROCESS: "true",
    LIMITS: withCrashes("LIMITS" in given ? given.LIMITS : undefined),
  };
}

/**
 * A change of the code ends each execution, which counts as a crash: a step of a minute must survive the saves of a minute.
 * Limits of the user's own count more.
 */
function withCrashes(limits: unknown): unknown {
  if (limits !== undefined && typeof limits !== "string") return limits;
  if (limits === undefined || limits === "") return JSON.stringify({ executorCrashes: CRASHES_MAX });
  try {
    return JSON.stringify({ executorCrashes: CRASHES_MAX, ...(JSON.parse(limits) as object) });
  } catch {
    // The Worker says what is wrong with it.
    return limits;
  }
}

/** Adds a token to a list, which is text or JSON (docs/how-to/secure.md). */
function withToken(list: string, token: string): string {
  const trimmed = list.trim();
  if (trimmed === "") return token;
  if (!/^[[{"]/.test(trimmed)) return `${trimmed},${token}`;
  try {
    return JSON.stringify([JSON.parse(trimmed), token].flat());
  } catch {
    // The Worker says what is wrong with it.
    return list;
  }
}
