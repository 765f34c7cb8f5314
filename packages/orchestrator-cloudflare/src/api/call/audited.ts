/**
 * The log of refused actions (SEC5).
 *
 * Owns: a line of the log for each action of an authenticated caller that was refused. The run's own audit lists what was
 * done; a refusal writes no row, so that no caller can fill the storage with refusals (LIM2).
 */
import { LIMITS } from "@holdfast/protocol";
import type { Principal } from "../../auth/principal.ts";
import { ApiRefusal } from "../../refusal.ts";
import { pathOf } from "./match.ts";
import type { RouteDescription } from "./route.ts";

/** Statuses of refusals of an action. The others are about the form of a request. */
const REFUSED: ReadonlySet<number> = new Set([403, 404, 409]);

/** Logs refusals. `facts`: what was refused. */
export function logRefusal({ subject: by, tenantId }: Principal, facts: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify({ message: "request refused", ...facts, by, tenantId }));
}

/** Returns the run id in a path that nothing has checked yet, cut to the length of the longest id. */
function runIdIn(url: string): string {
  const [, , , segment = ""] = pathOf(url).split("/");
  try {
    return decodeURIComponent(segment).slice(0, LIMITS.nameBytes);
  } catch {
    return segment.slice(0, LIMITS.nameBytes);
  }
}

/** Returns the answer, and logs a refusal. The line has no token ids and no payloads. */
export async function audited(
  answer: () => Promise<Response>,
  { id: route, path }: Pick<RouteDescription, "id" | "path">,
  { url }: Request,
  principal: Principal,
): Promise<Response> {
  const log = (code: unknown): void => {
    const runId = path.startsWith("/api/runs/:id") ? runIdIn(url) : undefined;
    logRefusal(principal, { route, runId, code });
  };
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    if (error instanceof ApiRefusal && REFUSED.has(error.status)) log(error.code);
    throw error;
  }
  if (REFUSED.has(response.status)) log(((await response.clone().json()) as { readonly error?: unknown }).error);
  return response;
}
