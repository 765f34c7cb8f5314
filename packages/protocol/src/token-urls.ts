/**
 * The paths of tokens' URLs: with credentials, and of public tokens (SEC8): tenant, run, incarnation, MAC, the token's id.
 *
 * Owns: their form. The orchestrator makes the part before the token's id, once per execution; the Worker reads it. URLs
 * that were sent have this form, so it never changes.
 */
import type { RunFacts } from "./execution.ts";

/** The tenant in a path: `-` without one. */
export function tenantSegment(tenantId: string | undefined): string {
  return tenantId === undefined ? "-" : `t-${tenantId}`;
}

function publicTokenPath(segments: readonly string[]): string {
  return `/public/tokens/${segments.map(encodeURIComponent).join("/")}/`;
}

/** Returns where the URLs of a run's tokens start, as fields of `RunFacts`. `segments`: those of its public tokens. */
export function tokenUrls(
  { id, baseUrl = "" }: Pick<RunFacts, "id"> & { readonly baseUrl?: string | undefined },
  segments: readonly string[] | undefined,
): Pick<RunFacts, "ownTokens" | "publicTokens"> {
  const ownTokens = `${baseUrl}/api/runs/${encodeURIComponent(id)}/tokens/`;
  return segments === undefined ? { ownTokens } : { ownTokens, publicTokens: baseUrl + publicTokenPath(segments) };
}
