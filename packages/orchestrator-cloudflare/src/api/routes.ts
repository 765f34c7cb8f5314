/**
 * The routes of the HTTP API.
 *
 * Owns: from a path and a body to a command for the run's object. Decides nothing about runs.
 */
import { LIMITS, idProblem } from "@holdfast/protocol";
import { Hono } from "hono";
import { ulid } from "ulid";
import * as v from "valibot";
import { KEY_RESERVED, NO_RUN, type RunCommand } from "../run-commands.ts";
import { type ApiContext, type WorkerDeps, askObject, bytesMax } from "./api-context.ts";
import { ApiRefusal } from "./refusals.ts";
import { encodeGiven, readBody } from "./request-body.ts";
import { resumeRun } from "./resume-route.ts";
import { cancelBody, eventBody, journalQuery, noBody, signalBody, tokenBody, triggerBody } from "./schemas.ts";

export const api: Hono<{ Bindings: WorkerDeps }> = new Hono<{ Bindings: WorkerDeps }>();

const PATHS = {
  runs: "/api/runs",
  run: "/api/runs/:id",
  journal: "/api/runs/:id/journal",
  resume: "/api/runs/:id/resume",
  events: "/api/runs/:id/events",
  signals: "/api/runs/:id/signals",
  token: "/api/runs/:id/tokens/:tokenId",
  cancel: "/api/runs/:id/cancel",
  pause: "/api/runs/:id/pause",
  unpause: "/api/runs/:id/unpause",
  retry: "/api/runs/:id/retry",
  workflows: "/api/workflows",
  healthz: "/healthz",
} as const;

api.use("/api/*", async (c, next) => {
  refuseForeignOrigin(c.req.raw);
  const verified = await (c.env.verifyRequest?.(c.req.raw) ?? true);
  if (verified instanceof Response) return verified;
  if (!verified) {
    throw new ApiRefusal("unauthorized", "Give a valid token: Authorization: Bearer <token>.", undefined, {
      "WWW-Authenticate": "Bearer",
    });
  }
  await next();
  return undefined;
});

api.get(PATHS.healthz, () => Response.json({ ok: true }));
api.get(PATHS.workflows, (c) => askObject(c, NO_RUN, { command: "workflows" }));
api.post(PATHS.runs, triggerRun);
api.get(PATHS.runs, () => {
  throw new ApiRefusal("index_not_configured", "This deployment has no index of its runs, so they cannot be listed.");
});
api.get(PATHS.run, (c) => askRun(c, { command: "read" }));
api.get(PATHS.journal, (c) => {
  const query = v.safeParse(journalQuery, c.req.query());
  if (!query.success)
    throw new ApiRefusal("invalid_query", `The query is not as it should be: ${query.issues[0].message}.`);
  return askRun(c, { command: "journal", ...query.output });
});
api.post(PATHS.resume, (c) => resumeRun(c, runIdOf(c)));
api.post(PATHS.events, async (c) => {
  const id = runIdOf(c);
  const { eventType, payload, deliveryId } = await readBody(c.req.raw, eventBody, bytesMax(c));
  const encoded = encodeGiven(payload, "payload");
  return askObject(c, id, { command: "deliver", kind: "event", name: eventType, payload: encoded, deliveryId });
});
api.post(PATHS.signals, async (c) => {
  const id = runIdOf(c);
  const { name, payload, deliveryId } = await readBody(c.req.raw, signalBody, bytesMax(c));
  return askObject(c, id, {
    command: "deliver",
    kind: "signal",
    name,
    payload: encodeGiven(payload, "payload"),
    deliveryId,
  });
});
api.post(PATHS.token, async (c) => {
  const id = runIdOf(c);
  const tokenId = pathId(c, 4, "token id");
  const { payload } = await readBody(c.req.raw, tokenBody, bytesMax(c));
  return askObject(c, id, { command: "resolveToken", tokenId, payload: encodeGiven(payload, "payload") });
});
api.post(PATHS.cancel, async (c) => {
  const id = runIdOf(c);
  const { reason } = await readBody(c.req.raw, cancelBody, bytesMax(c));
  return askObject(c, id, { command: "cancel", reason });
});

for (const operation of ["pause", "unpause", "retry"] as const) {
  api.post(PATHS[operation], async (c) => {
    const id = runIdOf(c);
    await readBody(c.req.raw, noBody, bytesMax(c));
    return askObject(c, id, { command: "operate", operation });
  });
}
api.delete(PATHS.run, (c) => askRun(c, { command: "delete" }));

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

async function triggerRun(c: ApiContext): Promise<Response> {
  const body = await readBody(c.req.raw, triggerBody, bytesMax(c));
  const idempotencyKey = keyOf(c, body.idempotencyKey);
  const keyId = idempotencyKey === undefined ? undefined : await idFromKey(idempotencyKey);
  const runId = body.runId ?? keyId ?? ulid();
  const reserved = keyId !== undefined && keyId !== runId && (await reserveKey(c, keyId, runId));
  const tenantMeta = body.tenantMeta === undefined ? undefined : encodeGiven(body.tenantMeta, "tenantMeta");
  if ((tenantMeta?.length ?? 0) > LIMITS.tenantMetaChars) {
    throw new ApiRefusal(
      "invalid_body",
      `tenantMeta takes more than ${LIMITS.tenantMetaChars} characters, which is the limit.`,
    );
  }
  const askAs = (id: string): Promise<Response> =>
    askObject(c, id, {
      command: "trigger",
      waitMs: preferredWaitMs(c),
      trigger: {
        runId: id,
        workflowId: body.workflowId,
        workflowVersion: body.workflowVersion,
        input: encodeGiven(body.input, "input"),
        tags: body.tags,
        environment: body.environment ?? c.env.environment ?? "production",
        tenantMeta,
        triggeredBy: "api",
        idempotencyKey,
        baseUrl: c.env.publicUrl ?? new URL(c.req.url).origin,
        delayMs: body.delay,
        timeoutMs: body.timeout,
      },
    });
  const answer = await askAs(runId);
  if (reserved && !answer.ok) await askObject(c, keyId, { command: "releaseKey", runId });
  return answer.status === KEY_RESERVED ? askAs(((await answer.json()) as { runId: string }).runId) : answer;
}

/** A key stands for one run, whatever id the caller gives it (RUN2). True: it does so since now. */
async function reserveKey(c: ApiContext, keyId: string, runId: string): Promise<boolean> {
  const answer = await askObject(c, keyId, { command: "reserveKey", runId });
  const reserved = (await answer.json()) as { runId: string; fresh: boolean };
  if (reserved.runId === runId) return reserved.fresh;
  throw new ApiRefusal(
    "idempotency_conflict",
    `The idempotency key stands for the run ${JSON.stringify(reserved.runId)} already. Nothing was changed.`,
  );
}

function askRun(c: ApiContext, command: RunCommand): Promise<Response> {
  return askObject(c, runIdOf(c), command);
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

/** The idempotency key of the header or the body, which must not disagree. */
function keyOf(c: ApiContext, inBody: string | undefined): string | undefined {
  const inHeader = c.req.header("Idempotency-Key");
  if (inHeader === undefined) return inBody;
  const problem = idProblem(inHeader);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The Idempotency-Key ${problem}.`);
  if (inBody !== undefined && inBody !== inHeader) {
    throw new ApiRefusal(
      "invalid_body",
      "The header Idempotency-Key and the field idempotencyKey differ. Give one of them.",
    );
  }
  return inHeader;
}

/** A run without an id of its own gets one that is fixed by its key: whoever repeats the key finds the run (RUN2). */
async function idFromKey(key: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `key-${Array.from(digest.slice(0, 20), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** `Prefer: wait=SECONDS`, at most LIMITS.preferWaitMs. Anything else is no preference (RFC 7240). */
function preferredWaitMs(c: ApiContext): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(c.req.header("Prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1_000, LIMITS.preferWaitMs);
}

/** Browsers name the page that sends a request that changes something: pages of other sites are refused (SEC6). */
function refuseForeignOrigin(request: Request): void {
  const origin = request.headers.get("Origin");
  if (origin === null || request.method === "GET" || request.method === "HEAD") return;
  if (origin === new URL(request.url).origin) return;
  throw new ApiRefusal("origin_not_allowed", `Pages of ${origin} may not call this API.`);
}
