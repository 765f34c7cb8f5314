/**
 * The only route for browser pages of other sites: the holder of a public token's URL can answer it once (WAIT7, SEC6).
 *
 * Owns: the check of the URL, before the body is read and before any object is asked (SEC8). No key, a wrong MAC, and a run
 * that does not exist have one answer, so that a guess reveals nothing.
 */
import { keyRingOf } from "../auth/url-keys.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven } from "../request-body.ts";
import { runObjectName } from "../run-object/names.ts";
import { tokenBody } from "./deliveries.ts";
import { type CheckedCall, type Route, route } from "./route.ts";
import { askObject } from "./run-objects.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const PATH = "/public/tokens/:tenant/:id/:incarnation/:mac/:tokenId";

type PublicCall<Body> = CheckedCall<typeof PATH, unknown, Body>;

const PREFLIGHT_HEADERS = {
  "Access-Control-Allow-Methods": "POST",
  "Access-Control-Allow-Headers": "Content-Type",
  "Access-Control-Max-Age": "86400",
};

export const publicTokenRoutes: readonly Route[] = [
  // No check of the ids: a preflight must succeed before the browser sends the request that is checked.
  {
    id: "allowPublicToken",
    verb: "OPTIONS",
    path: PATH,
    summary: "Allows browser pages of other sites to answer a public token.",
    answers: { 204: null },
    handle: async () => new Response(null, { status: 204, headers: PREFLIGHT_HEADERS }),
  },
  route({
    id: "resolvePublicToken",
    verb: "POST",
    path: PATH,
    summary: "Answers a public token, once. Its URL is the secret, and browser pages of any site may send the request.",
    body: tokenBody,
    bodyLimit: "publicTokenBytes",
    answers: { 202: "PubliclyDelivered" },
    refusals: [
      "already_resolved",
      "newer_format",
      "run_terminal",
      "run_unwinding",
      "token_not_found",
      "too_many_requests",
    ],
    admit,
    handle: resolvePublicToken,
  }),
];

/** Lets only requests with a URL of this deployment pass. */
async function admit({ request, deps, ids }: PublicCall<undefined>): Promise<void> {
  await limitRate(request, deps);
  const ring = await keyRingOf(deps, false);
  const { tenant, id, incarnation, mac } = ids;
  if (!((await ring?.verify("public token", [tenant, id, incarnation], mac)) ?? false)) throw unknownToken();
}

/** Asks the rate-limiting binding, if there is one. Its failure refuses nobody. */
async function limitRate(request: Request, { publicRateLimit }: WorkerDeps): Promise<void> {
  if (publicRateLimit === undefined) return;
  const address = request.headers.get("CF-Connecting-IP") ?? "unknown";
  let allowed = true;
  try {
    allowed = (await publicRateLimit.limit({ key: `public/${address}` })).success;
  } catch (error) {
    console.error("holdfast: the rate-limiting binding failed; the request is served", error);
  }
  if (!allowed) throw new ApiRefusal("too_many_requests", "This address sends too many requests. Try again later.");
}

/** The answer for a URL that this deployment did not make. */
export function unknownToken(): ApiRefusal {
  return new ApiRefusal("token_not_found", "No public token has this URL.");
}

async function resolvePublicToken({
  deps,
  ids: { tenant, id, incarnation, tokenId },
  body,
}: PublicCall<{ readonly payload?: unknown }>): Promise<Response> {
  const name = runObjectName(tenant === "-" ? undefined : tenant.replace(/^t-/, ""), id);
  const answer = await askObject(deps, deps.runDO.idFromName(name), {
    ask: "input",
    input: {
      type: "resolveToken",
      tokenId,
      payload: encodeGiven(body.payload, "payload"),
      publicly: { incarnation },
      by: "public token",
    },
  });
  if (answer.status === 404) throw unknownToken();
  if (!answer.ok) return answer;
  const { delivery } = (await answer.json()) as { readonly delivery: string };
  return Response.json({ delivery }, { status: 202 });
}
