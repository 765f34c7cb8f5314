/**
 * Which pages of browsers may call the API (SEC6).
 *
 * Owns: the comparison of origins, and the CORS headers. No cookie is read, so no answer allows credentials of the browser.
 */
import type { MiddlewareHandler } from "hono";
import { ApiRefusal } from "../refusal.ts";
import type { WorkerDeps } from "./worker-deps.ts";

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
 * their headers to every answer, refusals included. Goes before the authentication: a preflight request has no credentials.
 */
export const checkOrigin: MiddlewareHandler<{ Bindings: WorkerDeps }> = async (c, next) => {
  const { allowedOrigins = [] } = c.env;
  const origin = c.req.header("Origin");
  const isAllowed = origin !== undefined && allowedOrigins.includes(origin);
  if (!isAllowed) refuseForeignOrigin(c.req.raw, c.env);
  if (isAllowed && c.req.method === "OPTIONS") c.res = new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });
  else await next();
  // The response of an open socket cannot be copied, and browsers read no headers of it.
  if (allowedOrigins.length === 0 || c.res.status === 101) return;
  c.res = new Response(c.res.body, c.res);
  c.res.headers.append("Vary", "Origin");
  if (!isAllowed) return;
  c.res.headers.set("Access-Control-Allow-Origin", origin);
  c.res.headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS.join(", "));
};

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
