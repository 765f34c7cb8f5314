/**
 * The path of a public token's URL (SEC8): tenant, run, incarnation, MAC, and the token's id.
 *
 * Owns: its form. The orchestrator makes the part before the token's id, once per execution; the Worker reads it. URLs that
 * were sent have this form, so it never changes.
 */

/** The tenant in a path: `-` without one. */
export function tenantSegment(tenantId: string | undefined): string {
  return tenantId === undefined ? "-" : `t-${tenantId}`;
}

/** Returns the path that starts with these segments, with a slash at the end. */
export function publicTokenPath(segments: readonly string[]): string {
  return `/public/tokens/${segments.map(encodeURIComponent).join("/")}/`;
}
