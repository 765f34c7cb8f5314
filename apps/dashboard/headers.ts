/**
 * The headers of the dashboard's files, on every host that serves them.
 *
 * Owns: the policy. The page loads nothing but its own files, talks to its own origin, sends no form and cannot be framed
 *. The addresses of runs stay out of `Referer`.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** The name of an asset changes with its content. */
export const ASSET_CACHE = "public, max-age=31536000, immutable";
/** The page names the newest assets. */
export const PAGE_CACHE = "no-cache";
