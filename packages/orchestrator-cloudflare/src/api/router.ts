/**
 * The router of the HTTP API.
 *
 * Owns: the order of the checks before a route's handler (origin, credentials, scope), and the answers for refusals and
 * errors. It decides nothing about runs.
 */
import { authenticate } from "../auth/authenticate.ts";
import { NOBODY, type Principal, requireScope } from "../auth/principal.ts";
import { ApiRefusal } from "../refusal.ts";
import { NO_CALLER, count } from "../telemetry/counters.ts";
import { withMore } from "./call/answer-headers.ts";
import { audited } from "./call/audited.ts";
import { pathOf, queriesOf, routesAt, tableOf } from "./call/match.ts";
import { withOrigin } from "./origins.ts";
import { unknownToken } from "./routes/public-tokens.ts";
import type { Call, Route } from "./call/route.ts";
import { ROUTES } from "./routes.ts";
import { ticketOf } from "./routes/tickets.ts";
import { type WorkerDeps, requireIndex } from "./call/worker-deps.ts";

/** What is known of a request so far. */
interface Exchange {
  readonly request: Request;
  readonly deps: WorkerDeps;
  readonly path: string;
  /** Undefined: the request needs no credentials, or was rejected before they were read. */
  principal?: Principal;
  ticket?: Call["ticket"];
}

const TABLE = tableOf(ROUTES);

/** Answers a request. Never throws. */
export async function serveApi(request: Request, deps: WorkerDeps): Promise<Response> {
  const exchange: Exchange = { request, deps, path: pathOf(request.url) };
  const answer = await refusable(exchange, () => serve(exchange));
  const { principal } = exchange;
  if (answer.status >= 400)
    count("holdfast_rejected_requests_total", principal ? principal.tenantId : NO_CALLER, String(answer.status));
  if (request.method !== "HEAD") return answer;
  // Nothing reads it, and its sender waits for a reader.
  void answer.body?.cancel().catch(() => {});
  return new Response(null, answer);
}

async function serve(exchange: Exchange): Promise<Response> {
  const { request, deps, path } = exchange;
  if (path === "/metrics" || /^\/api(?:\/|$)/.test(path))
    return withOrigin(request, deps, () => refusable(exchange, () => serveClosed(exchange)));
  if (!/^\/public(?:\/|$)/.test(path)) return dispatch(exchange);
  // CORS: the URL of a public token is the secret, so pages of any site may send it.
  return withMore(await refusable(exchange, () => dispatch(exchange)), { "Access-Control-Allow-Origin": "*" });
}

async function serveClosed(exchange: Exchange): Promise<Response> {
  const { request, deps } = exchange;
  const ticket = await ticketOf(request, deps);
  const principal = ticket?.principal ?? (await authenticate(request, deps.verifyRequest));
  if (principal instanceof Response) return principal;
  exchange.principal = principal;
  exchange.ticket = ticket && { nonce: ticket.nonce, expiresAt: ticket.expiresAt };
  return dispatch(exchange);
}

function dispatch(exchange: Exchange): Promise<Response> {
  const { request, path } = exchange;
  const verb = request.method === "HEAD" ? "GET" : request.method;
  const routes = routesAt(TABLE, path);
  const found = routes.find((one) => one.verb === verb);
  if (found !== undefined) return handled(exchange, found);
  const [first] = routes;
  if (first !== undefined) throw wrongVerb(request.method, first.path);
  if (path.startsWith("/public/tokens/")) throw unknownToken();
  throw new ApiRefusal(
    "route_not_found",
    `No route matches ${path}. Ids in a path must be percent-encoded; a slash is %2F.`,
  );
}

async function handled(
  exchange: Exchange,
  { scope, orScope, indexed, handle, ...described }: Route,
): Promise<Response> {
  const { request, deps, path, ticket } = exchange;
  const principal = (scope === undefined ? undefined : exchange.principal) ?? NOBODY;
  const act = async (): Promise<Response> => {
    const hasOther = orScope !== undefined && principal.scopes.includes(orScope);
    if (scope !== undefined && !hasOther) requireScope(principal, scope, `${request.method} ${path}`);
    if (indexed === true) requireIndex(deps);
    return handle({ request, queries: queriesOf(request.url), deps, principal, ticket });
  };
  return scope === undefined || described.verb === "GET" ? act() : audited(act, described, request, principal);
}

async function refusable({ request, path }: Exchange, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ApiRefusal) return error.toResponse();
    // The path of a public token is a secret.
    const shown = path.startsWith("/public/") ? "/public/…" : path;
    console.error(`holdfast: a request failed, ${request.method} ${shown}:`, error);
    return new ApiRefusal(
      "internal_error",
      "The request failed. Try again. If it fails each time, the log of the Worker says why.",
    ).toResponse();
  }
}

function wrongVerb(method: string, path: string): ApiRefusal {
  const verbs: string[] = ROUTES.filter((route) => route.path === path).map(({ verb }) => verb);
  const allow = [...verbs, ...(verbs.includes("GET") ? ["HEAD"] : [])].join(", ");
  return new ApiRefusal(
    "method_not_allowed",
    `The method ${method} is not allowed for this path. Allowed: ${allow}.`,
    undefined,
    {
      Allow: allow,
    },
  );
}
