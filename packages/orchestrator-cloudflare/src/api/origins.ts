/**
 * Which pages of browsers may call the API (SEC6).
 *
 * Owns: the comparison of origins, and the CORS headers. No cookie is read, so no answer allows credentials of the browser.
 */
import { ApiRefusal } from "../refusal.ts";
import { withMore } from "./call/answer-headers.ts";
import type { WorkerDeps } from "./call/worker-deps.ts";

const ALLOWED_HEADERS = [
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "Last-Event-ID",
  "Prefer",
  "traceparent",
  "Holdfast-Key",
  "Holdfast-Signature",
];

const EXPOSED_HEADERS = ["Allow", "Holdfast-Version", "Location", "Preference-Applied", "Retry-After"];

const PREFLIGHT_HEADERS = {
  "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
  "Access-Control-Allow-Headers": ALLOWED_HEADERS.join(", "),
  "Access-Control-Max-Age": "86400",
};

/**
 * Rejects requests that pages of other sites may not send, answers the preflight requests of allowed origins, and adds
 * their headers to every answer of `next`, refusals included. Goes before the authentication: a preflight request has no credentials.
 */
export async function withOrigin(request: Request, deps: WorkerDeps, next: () => Promise<Response>): Promise<Response> {
  const { allowedOrigins = [] } = deps;
  const origin = request.headers.get("Origin");
  const isAllowed = origin !== null && allowedOrigins.includes(origin);
  if (!isAllowed) refuseForeignOrigin(request, deps);
  const isPreflight = isAllowed && request.method === "OPTIONS";
  const answer = isPreflight ? new Response(null, { status: 204, headers: PREFLIGHT_HEADERS }) : await next();
  // The response of an open socket cannot be copied, and browsers read no headers of it.
  if (allowedOrigins.length === 0 || answer.status === 101) return answer;
  const vary = [answer.headers.get("Vary"), "Origin"].filter(Boolean).join(", ");
  if (!isAllowed) return withMore(answer, { Vary: vary });
  return withMore(answer, {
    Vary: vary,
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Expose-Headers": EXPOSED_HEADERS.join(", "),
  });
}

/** Browsers send `Origin` with a request that may change something: requests of other sites' pages are rejected (SEC6). */
function refuseForeignOrigin(request: Request, { publicUrl }: WorkerDeps): void {
  const origin = request.headers.get("Origin");
  const reads = request.method === "GET" || request.method === "HEAD";
  // CORS does not protect sockets: a page of any site may open one by a GET request and read its messages.
  if (origin === null || (reads && request.headers.get("Upgrade") === null)) return;
  if (origin === new URL(publicUrl ?? request.url).origin) return;
  const remedy =
    publicUrl === undefined
      ? "If it is the deployment's own page after a proxy, set PUBLIC_URL; otherwise add the origin to ALLOWED_ORIGINS."
      : "Add the origin to ALLOWED_ORIGINS, or call the API from PUBLIC_URL or from a server.";
  throw new ApiRefusal("origin_not_allowed", `Browser pages of ${origin} must not call this API. ${remedy}`);
}
