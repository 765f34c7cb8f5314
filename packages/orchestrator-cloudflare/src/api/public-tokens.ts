/**
 * The only route for browser pages of other sites: the holder of a public token's URL can answer it once (WAIT7, SEC6).
 */
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven } from "../request-body.ts";
import { runObjectName } from "../run-object/names.ts";
import { tokenBody } from "./deliveries.ts";
import { type CheckedCall, type Route, route } from "./route.ts";
import { askObject } from "./run-objects.ts";

const PATH = "/public/tokens/:tenant/:id/:tokenId";

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
    answers: { 202: "PubliclyDelivered" },
    refusals: ["already_resolved", "newer_format", "run_terminal", "run_unwinding", "token_not_found"],
    handle: resolvePublicToken,
  }),
];

async function resolvePublicToken({
  deps,
  ids: { tenant, id, tokenId },
  body,
}: CheckedCall<typeof PATH, unknown, { readonly payload?: unknown }>): Promise<Response> {
  const name = runObjectName(tenant === "-" ? undefined : tenant.replace(/^t-/, ""), id);
  const answer = await askObject(deps, deps.runDO.idFromName(name), {
    ask: "input",
    input: {
      type: "resolveToken",
      tokenId,
      payload: encodeGiven(body.payload, "payload"),
      publicly: true,
      by: "public token",
    },
  });
  // The answer is the same with and without a run, so a guessed URL reveals nothing about runs.
  if (answer.status === 404) throw new ApiRefusal("token_not_found", "No public token has this URL.");
  if (!answer.ok) return answer;
  const { delivery } = (await answer.json()) as { readonly delivery: string };
  return Response.json({ delivery }, { status: 202 });
}
