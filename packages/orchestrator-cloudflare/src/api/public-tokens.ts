/**
 * The one route for browsers of other sites: the URL of a public token lets its holder answer, once (WAIT7, SEC6).
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
  // Its ids are not looked at: a preflight asks about the path.
  {
    id: "allowPublicToken",
    verb: "OPTIONS",
    path: PATH,
    summary: "Allows pages of other sites to answer.",
    answers: { 204: null },
    handle: async () => new Response(null, { status: 204, headers: PREFLIGHT_HEADERS }),
  },
  route({
    id: "resolvePublicToken",
    verb: "POST",
    path: PATH,
    summary: "Answers a public token, once. Its URL is the secret; pages of any site may send it.",
    body: tokenBody,
    answers: { 202: "PubliclyDelivered" },
    refusals: ["already_resolved", "newer_format", "run_terminal", "token_not_found"],
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
  // A guess reveals nothing about runs: the answer is the same whether there is a run or not.
  if (answer.status === 404) throw new ApiRefusal("token_not_found", "There is no such public token.");
  if (!answer.ok) return answer;
  const { delivery } = (await answer.json()) as { readonly delivery: string };
  return Response.json({ delivery }, { status: 202 });
}
