/**
 * The only routes for browser pages of other sites: the holder of a public token's URL can answer it once (WAIT7, SEC6). A
 * click on the URL shows a page with a form. No cookie is read: the URL is the only credential, so the form needs no other
 * proof of its origin.
 *
 * Owns: the check of the URL, before the body is read and before any object is asked (SEC8). No key, a wrong MAC, and a run
 * that does not exist have one answer, so that a guess reveals nothing.
 */
import type { AnswerIssue } from "@holdfast/protocol";
import { keyRingOf } from "../../auth/url-keys.ts";
import { type ApiErrorCode, ApiRefusal, STATUS_OF } from "../../refusal.ts";
import { encodeGiven, isForm } from "../../request-body.ts";
import type { TokenAnswer } from "../../run-object/commands.ts";
import { runObjectName } from "../../run-object/names.ts";
import { withMore } from "../call/answer-headers.ts";
import { tokenBody } from "./deliveries.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";
import { askObject } from "../call/run-objects.ts";
import { type Sent, readAnswer } from "./token-form.ts";
import { messagePage, questionPage } from "./token-page.ts";
import type { IdsOf } from "../call/url-parts.ts";
import type { WorkerDeps } from "../call/worker-deps.ts";

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
  asPage({
    id: "showPublicToken",
    verb: "GET",
    path: PATH,
    summary: "Shows a page with a form that answers a public token. It changes nothing.",
    answers: { 200: "text/html" },
    refusals: ["newer_format", "token_not_found", "too_many_requests"],
    admit,
    handle: (call) => showPublicToken(call),
  }),
  asPage({
    id: "resolvePublicToken",
    verb: "POST",
    path: PATH,
    summary: "Answers a public token, once. Its URL is the secret, and browser pages of any site may send the request.",
    body: tokenBody,
    form: true,
    bodyLimit: "publicTokenBytes",
    answers: { 200: "text/html", 202: "PubliclyDelivered" },
    refusals: [
      "already_resolved",
      "invalid_answer",
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

/** Makes a route whose refusals are pages for a browser that shows them, and JSON for all other clients. */
function asPage(definition: Parameters<typeof route<typeof PATH>>[0]): Route {
  const made = route(definition);
  const handle = async (call: Call): Promise<Response> => {
    try {
      return await made.handle(call);
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      // No URL of this deployment has an invalid id.
      const refusal = error.code === "invalid_id" ? unknownToken() : error;
      if (!wantsPage(call.request)) throw refusal;
      return refusalPage(refusal);
    }
  };
  return { ...made, handle };
}

function wantsPage(request: Request): boolean {
  return isForm(request) || /\btext\/html\b/.test(request.headers.get("Accept") ?? "");
}

function refusalPage({ code, message, allHeaders }: ApiRefusal): Response {
  const [title, details] = PAGES[code] ?? ["This did not work", message];
  return withMore(messagePage(title, details, STATUS_OF[code]), allHeaders);
}

const ANSWERED = ["Already answered", "This link was already answered. Nothing was changed."] as const;
const OVER = ["No longer open", "This link can no longer be answered."] as const;

/** What people read who do not know the API. */
const PAGES: Partial<Record<ApiErrorCode, readonly [title: string, details: string]>> = {
  token_not_found: ["Unknown link", "This link is not valid. Check that you have copied all of it."],
};

/** Shows the form, or why it can no longer be sent. `status`: of the latter. */
async function showPublicToken(call: PublicCall<unknown>, status = 200): Promise<Response> {
  const { standing, ...question } = await readToken(call);
  return standing === "open" ? questionPage(question) : closedPage(standing, status);
}

function closedPage(standing: "answered" | "over", status: number): Response {
  const [title, details] = standing === "answered" ? ANSWERED : OVER;
  return messagePage(title, details, status);
}

async function readToken({ deps, ids }: PublicCall<unknown>): Promise<TokenAnswer> {
  const { tokenId, incarnation } = ids;
  const answer = await askObject(deps, objectOf(deps, ids), { ask: "publicToken", tokenId, incarnation });
  if (answer.status === 404) throw unknownToken();
  if (!answer.ok) throw await refusalIn(answer);
  return (await answer.json()) as TokenAnswer;
}

function objectOf({ runDO }: WorkerDeps, { tenant, id }: IdsOf<typeof PATH>): unknown {
  return runDO.idFromName(runObjectName(tenant === "-" ? undefined : tenant.replace(/^t-/, ""), id));
}

/** Reads a refusal of the run's object. */
async function refusalIn(answer: Response): Promise<ApiRefusal> {
  const { error, message, details } = (await answer.json()) as {
    readonly error: ApiErrorCode;
    readonly message: string;
    readonly details?: unknown;
  };
  return new ApiRefusal(error, message, details);
}

/** Lets only requests with a URL of this deployment pass. */
async function admit({ request, deps, ids }: PublicCall<undefined>): Promise<void> {
  await limitRate(request, deps);
  const ring = await keyRingOf(deps, false);
  const { tenant, id, incarnation, mac } = ids;
  if (!((await ring?.verify("public token", [tenant, id, incarnation], mac)) ?? false)) throw unknownToken();
}

let failureLogged = false;

/** Asks the rate-limiting binding, if there is one. Its failure refuses nobody. */
async function limitRate(request: Request, { publicRateLimit }: WorkerDeps): Promise<void> {
  if (publicRateLimit === undefined) return;
  const address = request.headers.get("CF-Connecting-IP") ?? "unknown";
  let allowed = true;
  try {
    allowed = (await publicRateLimit.limit({ key: `public/${address}` })).success;
  } catch (error) {
    if (!failureLogged)
      console.error("holdfast: the rate-limiting binding failed; requests are served (logged once)", error);
    failureLogged = true;
  }
  if (!allowed) throw new ApiRefusal("too_many_requests", "This address sends too many requests. Try again later.");
}

/** The answer for a URL that this deployment did not make. */
export function unknownToken(): ApiRefusal {
  return new ApiRefusal("token_not_found", "No public token has this URL.");
}

async function resolvePublicToken(call: PublicCall<unknown>): Promise<Response> {
  const { request, body, form } = call;
  if (form !== undefined) return answerForm(call, form);
  const { payload } = body as { readonly payload?: unknown };
  const answer = await sendAnswer(call, payload);
  // A person who was too late reads why.
  if (answer.status === 409 && wantsPage(request)) return showPublicToken(call, 409);
  if (!answer.ok) throw await refusalIn(answer);
  const { delivery } = (await answer.json()) as { readonly delivery: string };
  return Response.json({ delivery }, { status: 202 });
}

/** Answers with the fields of the page's form, or shows them again with what is wrong (ASK7). */
async function answerForm(call: PublicCall<unknown>, sent: Sent): Promise<Response> {
  const { standing, ...question } = await readToken(call);
  if (standing !== "open") return closedPage(standing, 409);
  const read = readAnswer(question.ask, sent);
  if ("issues" in read) return questionPage({ ...question, sent, issues: read.issues });
  const answer = await sendAnswer(call, read.payload);
  if (answer.status === 409) return showPublicToken(call, 409);
  if (answer.ok) return messagePage("Thank you", "Your answer was received.");
  const refusal = await refusalIn(answer);
  if (refusal.code !== "invalid_answer") throw refusal;
  const { issues } = refusal.details as { readonly issues: readonly AnswerIssue[] };
  return questionPage({ ...question, sent, issues });
}

async function sendAnswer({ deps, ids }: PublicCall<unknown>, payload: unknown): Promise<Response> {
  const { tokenId, incarnation } = ids;
  const answer = await askObject(deps, objectOf(deps, ids), {
    ask: "input",
    input: {
      type: "resolveToken",
      tokenId,
      payload: encodeGiven(payload, "payload"),
      publicly: { incarnation },
      by: "public token",
    },
  });
  if (answer.status === 404) throw unknownToken();
  return answer;
}
