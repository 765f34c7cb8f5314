/**
 * The router of the HTTP API.
 *
 * Owns: the order of the checks before a route's handler (origin, credentials, scope), and the answers for refusals and
 * errors. It decides nothing about runs.
 */
import { type Context, Hono } from "hono";
import { authenticate } from "../auth/authenticate.ts";
import { NOBODY, type Principal, requireScope } from "../auth/principal.ts";
import type { TicketUse } from "../auth/tickets.ts";
import { ApiRefusal } from "../refusal.ts";
import { NO_CALLER, count } from "../telemetry/counters.ts";
import { audited } from "./audited.ts";
import { checkOrigin } from "./origins.ts";
import { unknownToken } from "./public-tokens.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { ticketOf } from "./tickets.ts";
import { type WorkerDeps, requireIndex } from "./worker-deps.ts";

type Env = {
  Bindings: WorkerDeps;
  Variables: { readonly principal: Principal; readonly ticket: TicketUse | undefined };
};

export const router: Hono<Env> = new Hono<Env>();

router.use("*", async (c, next) => {
  await next();
  // The type is that of a route: a request that was rejected before has no principal.
  const principal = c.var.principal as Principal | undefined;
  if (c.res.status >= 400)
    count("holdfast_rejected_requests_total", principal ? principal.tenantId : NO_CALLER, String(c.res.status));
});

const CLOSED = ["/api/*", "/metrics"];

router.on("ALL", CLOSED, checkOrigin);

router.on("ALL", CLOSED, async (c, next) => {
  const ticket = await ticketOf(c.req.raw, c.env);
  const principal = ticket?.principal ?? (await authenticate(c.req.raw, c.env.verifyRequest));
  if (principal instanceof Response) return principal;
  c.set("principal", principal);
  c.set("ticket", ticket && { nonce: ticket.nonce, expiresAt: ticket.expiresAt });
  await next();
  return undefined;
});

// CORS: the URL of a public token is the secret, so pages of any site may send it.
router.use("/public/*", async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  c.res.headers.set("Access-Control-Allow-Origin", "*");
});

for (const route of ROUTES) router.on(route.verb, route.path, (c) => serve(c, route));
for (const path of new Set(ROUTES.map((route) => route.path))) router.all(path, (c) => refuseVerb(c, path));

router.notFound((c) => {
  if (c.req.path.startsWith("/public/tokens/")) return unknownToken().toResponse();
  return new ApiRefusal(
    "route_not_found",
    `No route matches ${c.req.path}. Ids in a path must be percent-encoded; a slash is %2F.`,
  ).toResponse();
});

router.onError((error) => {
  if (error instanceof ApiRefusal) return error.toResponse();
  console.error("holdfast: a request failed", error);
  return new ApiRefusal(
    "internal_error",
    "The request failed. No acknowledged change is lost. Try again.",
  ).toResponse();
});

async function serve(c: Context<Env>, { scope, orScope, indexed, handle, ...route }: Route): Promise<Response> {
  const principal = scope === undefined ? NOBODY : c.var.principal;
  const answer = async (): Promise<Response> => {
    const hasOther = orScope !== undefined && principal.scopes.includes(orScope);
    if (scope !== undefined && !hasOther) requireScope(principal, scope, `${c.req.method} ${c.req.path}`);
    if (indexed === true) requireIndex(c.env);
    const { ticket } = c.var;
    return handle({ request: c.req.raw, queries: c.req.queries(), deps: c.env, principal, ticket });
  };
  return scope === undefined || route.verb === "GET" ? answer() : audited(answer, route, c.req.raw, principal);
}

function refuseVerb(c: Context<Env>, path: string): never {
  const verbs: string[] = ROUTES.filter((route) => route.path === path).map(({ verb }) => verb);
  const allow = [...verbs, ...(verbs.includes("GET") ? ["HEAD"] : [])].join(", ");
  throw new ApiRefusal(
    "method_not_allowed",
    `The method ${c.req.method} is not allowed for this path. Allowed: ${allow}.`,
    undefined,
    {
      Allow: allow,
    },
  );
}
