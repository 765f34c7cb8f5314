/**
 * The routes of the HTTP API.
 *
 * Owns: which path and verb needs which scope, and from a path and a body to a command for the run's object. Decides
 * nothing about runs.
 */
import { idProblem } from "@holdfast/protocol";
import { Hono } from "hono";
import * as v from "valibot";
import { type Scope, authenticate, requireScope } from "../auth/principal.ts";
import { NO_RUN, runObjectName } from "../run-object/names.ts";
import type { RunCommand } from "../run-object/commands.ts";
import {
  type ApiContext,
  type ApiVariables,
  type WorkerDeps,
  askObject,
  askRunObject,
  bytesMax,
  openSocket,
} from "./api-context.ts";
import { actOnMany, listRuns, rebuildIndex } from "./lists.ts";
import { OPENAPI_TEXT } from "./openapi-text.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven, readBody } from "../request-body.ts";
import { resumeRun } from "./resume-route.ts";
import { cancelBody, eventBody, journalQuery, noBody, signalBody, streamQuery, tokenBody } from "./schemas.ts";
import { preferredWaitMs, triggerRun } from "./trigger-route.ts";

type ApiEnv = { Bindings: WorkerDeps; Variables: ApiVariables };

export const api: Hono<ApiEnv> = new Hono<ApiEnv>();

const PATHS = {
  runs: "/api/runs",
  bulk: "/api/runs/bulk",
  rebuild: "/api/index/rebuild",
  run: "/api/runs/:id",
  journal: "/api/runs/:id/journal",
  audit: "/api/runs/:id/audit",
  stream: "/api/runs/:id/stream",
  resume: "/api/runs/:id/resume",
  events: "/api/runs/:id/events",
  signals: "/api/runs/:id/signals",
  token: "/api/runs/:id/tokens/:tokenId",
  cancel: "/api/runs/:id/cancel",
  pause: "/api/runs/:id/pause",
  unpause: "/api/runs/:id/unpause",
  retry: "/api/runs/:id/retry",
  workflows: "/api/workflows",
  publicToken: "/public/tokens/:tenant/:id/:tokenId",
  healthz: "/healthz",
  openapi: "/openapi.json",
} as const;

api.use("/api/*", async (c, next) => {
  refuseForeignOrigin(c.req.raw);
  const principal = await authenticate(c.req.raw, c.env.verifyRequest);
  if (principal instanceof Response) return principal;
  c.set("principal", principal);
  await next();
  return undefined;
});

/** The route is for principals with this scope. */
function needs(scope: Scope, handle: (c: ApiContext) => Promise<Response> | Response) {
  return (c: ApiContext): Promise<Response> | Response => {
    requireScope(c.var.principal, scope, `${c.req.method} ${c.req.path}`);
    return handle(c);
  };
}

api.get(PATHS.openapi, () => new Response(OPENAPI_TEXT, { headers: { "Content-Type": "application/json" } }));
api.get(PATHS.healthz, () => Response.json({ ok: true }));
api.get(
  PATHS.workflows,
  needs("read", (c) => askObject(c.env, c.env.runDO.idFromName(NO_RUN), { command: "workflows" })),
);
api.post(PATHS.runs, needs("trigger", triggerRun));
api.get(PATHS.runs, needs("read", listRuns));
api.post(PATHS.bulk, needs("operate", actOnMany));
api.post(PATHS.rebuild, needs("admin", rebuildIndex));
api.get(
  PATHS.run,
  needs("read", (c) => askRun(c, { command: "read", waitMs: preferredWaitMs(c) })),
);
api.get(
  PATHS.audit,
  needs("read", (c) => askRun(c, { command: "audit" })),
);
api.get(
  PATHS.stream,
  needs("read", (c) => {
    const query = readQuery(c, streamQuery);
    const cursor = c.req.header("Last-Event-ID") ?? query.lastEventId;
    if (c.req.header("Upgrade")?.toLowerCase() === "websocket") return openSocket(c, runIdOf(c), cursor, query.from);
    return askRun(c, { command: "follow", cursor, fromNow: cursor === undefined && query.from === "now" });
  }),
);
api.get(
  PATHS.journal,
  needs("read", (c) => {
    return askRun(c, { command: "journal", ...readQuery(c, journalQuery) });
  }),
);
api.post(
  PATHS.resume,
  needs("trigger", (c) => resumeRun(c, runIdOf(c))),
);
api.post(
  PATHS.events,
  needs("deliver", async (c) => {
    const id = runIdOf(c);
    const { eventType, payload, deliveryId } = await readBody(c.req.raw, eventBody, bytesMax(c));
    const encoded = encodeGiven(payload, "payload");
    return askRunObject(c, id, {
      command: "deliver",
      kind: "event",
      name: eventType,
      payload: encoded,
      deliveryId,
      by: by(c),
    });
  }),
);
api.post(
  PATHS.signals,
  needs("deliver", async (c) => {
    const id = runIdOf(c);
    const { name, payload, deliveryId } = await readBody(c.req.raw, signalBody, bytesMax(c));
    const encoded = encodeGiven(payload, "payload");
    return askRunObject(c, id, { command: "deliver", kind: "signal", name, payload: encoded, deliveryId, by: by(c) });
  }),
);
api.post(
  PATHS.token,
  needs("deliver", async (c) => {
    const id = runIdOf(c);
    const tokenId = pathId(c, 4, "token id");
    const { payload } = await readBody(c.req.raw, tokenBody, bytesMax(c));
    return askRunObject(c, id, {
      command: "resolveToken",
      tokenId,
      payload: encodeGiven(payload, "payload"),
      by: by(c),
    });
  }),
);
api.post(
  PATHS.cancel,
  needs("operate", async (c) => {
    const id = runIdOf(c);
    const { reason } = await readBody(c.req.raw, cancelBody, bytesMax(c));
    return askRunObject(c, id, { command: "cancel", reason, by: by(c) });
  }),
);

for (const operation of ["pause", "unpause", "retry"] as const) {
  api.post(
    PATHS[operation],
    needs("operate", async (c) => {
      const id = runIdOf(c);
      await readBody(c.req.raw, noBody, bytesMax(c));
      return askRunObject(c, id, { command: "operate", operation, by: by(c) });
    }),
  );
}
api.delete(
  PATHS.run,
  needs("operate", (c) => askRun(c, { command: "delete", by: by(c) })),
);

// The one route for browsers of other sites: whoever holds the URL of a public token may answer it, once.
api.use("/public/*", async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  c.res.headers.set("Access-Control-Allow-Origin", "*");
});
api.options(PATHS.publicToken, () => {
  const headers = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
  };
  return new Response(null, { status: 204, headers });
});
api.post(PATHS.publicToken, async (c) => {
  const tenant = pathId(c, 2, "tenant");
  const [runId, tokenId] = [pathId(c, 3, "run id"), pathId(c, 4, "token id")];
  const { payload } = await readBody(c.req.raw, tokenBody, bytesMax(c));
  const name = runObjectName(tenant === "-" ? undefined : tenant.replace(/^t-/, ""), runId);
  const encoded = encodeGiven(payload, "payload");
  const command = { command: "resolveToken", tokenId, payload: encoded, publicly: true, by: "public token" } as const;
  const answer = await askObject(c.env, c.env.runDO.idFromName(name), command);
  // A guess tells nothing about runs: whether there is one or not, there is no such token.
  if (answer.status === 404) throw new ApiRefusal("token_not_found", "There is no such public token.");
  if (!answer.ok) return answer;
  return Response.json({ delivery: ((await answer.json()) as { delivery: string }).delivery }, { status: 202 });
});

for (const path of Object.values(PATHS)) {
  api.all(path, (c) => {
    const allowed = api.routes
      .filter((route) => route.path === path && route.method !== "ALL")
      .map((route) => route.method);
    const allow = [...new Set(allowed), ...(allowed.includes("GET") ? ["HEAD"] : [])].join(", ");
    throw new ApiRefusal("method_not_allowed", `${c.req.method} is not possible here; ${allow} is.`, undefined, {
      Allow: allow,
    });
  });
}

api.notFound((c) =>
  new ApiRefusal(
    "route_not_found",
    `There is nothing at ${c.req.path}. Ids in a path must be percent-encoded; a slash is %2F.`,
  ).toResponse(),
);

api.onError((error) => {
  if (error instanceof ApiRefusal) return error.toResponse();
  console.error("holdfast: a request failed", error);
  return new ApiRefusal(
    "internal_error",
    "The request failed. Nothing that was acknowledged is lost; try again.",
  ).toResponse();
});

function askRun(c: ApiContext, command: RunCommand): Promise<Response> {
  return askRunObject(c, runIdOf(c), command);
}

function readQuery<S extends v.GenericSchema>(c: ApiContext, schema: S): v.InferOutput<S> {
  const query = v.safeParse(schema, c.req.query());
  if (query.success) return query.output;
  throw new ApiRefusal("invalid_query", `The query is not as it should be: ${query.issues[0].message}.`);
}

/** Who asks, for the audit. */
function by(c: ApiContext): string {
  return c.var.principal.subject;
}

function runIdOf(c: ApiContext): string {
  return pathId(c, 2, "run id");
}

/** An id from the path, decoded here: a segment that is not properly encoded is refused, not guessed at. */
function pathId(c: ApiContext, index: number, what: string): string {
  const segment = new URL(c.req.url).pathname.split("/")[index + 1] ?? "";
  let id: string;
  try {
    id = decodeURIComponent(segment);
  } catch {
    throw new ApiRefusal("invalid_id", `The ${what} in the path is not properly percent-encoded.`);
  }
  const problem = idProblem(id);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The ${what} ${problem}.`);
  return id;
}

/** Browsers name the page that sends a request that changes something: pages of other sites are refused (SEC6). */
function refuseForeignOrigin(request: Request): void {
  const origin = request.headers.get("Origin");
  const reads = request.method === "GET" || request.method === "HEAD";
  // A socket is opened by a GET, from pages of any site, and what it brings may be read.
  if (origin === null || (reads && request.headers.get("Upgrade") === null)) return;
  if (origin === new URL(request.url).origin) return;
  throw new ApiRefusal("origin_not_allowed", `Pages of ${origin} may not call this API.`);
}
