/**
 * The router of the HTTP API.
 *
 * Owns: the checks before a route's handler (origin, credentials, scope), and the answers for refusals and errors. It
 * decides nothing about runs.
 */
import { type Context, Hono } from "hono";
import { authenticate } from "../auth/authenticate.ts";
import { NOBODY, type Principal, requireScope } from "../auth/principal.ts";
import { ApiRefusal } from "../refusal.ts";
import { audited } from "./audited.ts";
import { unknownToken } from "./public-tokens.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { type WorkerDeps, requireIndex } from "./worker-deps.ts";

type Env = { Bindings: WorkerDeps; Variables: { readonly principal: Principal } };

export const router: Hono<Env> = new Hono<Env>();

router.use("/api/*", async (c, next) => {
  refuseForeignOrigin(c.req.raw);
  const principal = await authenticate(c.req.raw, c.env.verifyRequest);
  if (principal instanceof Response) return principal;
  c.set("principal", principal);
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

async function serve(c: Context<Env>, { scope, indexed, handle, ...route }: Route): Promise<Response> {
  const principal = scope === undefined ? NOBODY : c.var.principal;
  const answer = async (): Promise<Response> => {
    if (scope !== undefined) requireScope(principal, scope, `${c.req.method} ${c.req.path}`);
    if (indexed === true) requireIndex(c.env);
    return handle({ request: c.req.raw, queries: c.req.queries(), deps: c.env, principal });
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

/** Browsers send `Origin` with a request that may change something: requests of other sites' pages are rejected (SEC6). */
function refuseForeignOrigin(request: Request): void {
  const origin = request.headers.get("Origin");
  const reads = request.method === "GET" || request.method === "HEAD";
  // CORS does not protect sockets: a page of any site may open one by a GET request and read its messages.
  if (origin === null || (reads && request.headers.get("Upgrade") === null)) return;
  if (origin === new URL(request.url).origin) return;
  throw new ApiRefusal(
    "origin_not_allowed",
    `Browser pages of ${origin} must not call this API. Call it from the deployment's own origin or from a server.`,
  );
}
