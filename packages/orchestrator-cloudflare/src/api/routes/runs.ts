/**
 * Routes that read, follow and delete one run.
 */
import { HOST_LIMITS, type RunOverview, defined } from "@holdfast/protocol";
import * as v from "valibot";
import { cursorProblem } from "../../feed/event-cursor.ts";
import { ApiRefusal } from "../../refusal.ts";
import { withScopes } from "./actions.ts";
import { withMore } from "../call/answer-headers.ts";
import { viewField, wholeNumberField } from "../call/fields.ts";
import { WAIT_HEADER, preferredWaitMs, waitApplied } from "../call/prefer-wait.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";
import { askRun, openSocket } from "../call/run-objects.ts";
import { deepWhy } from "./why.ts";

const NOT_IN_RESULT = "is for view=summary and view=record";

/** Other parameters have no effect. */
const readQuery = v.pipe(
  v.object({
    view: viewField,
    why: v.optional(v.picklist(["deep"], "must be deep")),
    actions: v.optional(v.picklist(["true"], "must be true")),
  }),
  v.forward(
    v.check(({ view, why }) => view !== "result" || why === undefined, NOT_IN_RESULT),
    ["why"],
  ),
  v.forward(
    v.check(({ view, actions }) => view !== "result" || actions === undefined, NOT_IN_RESULT),
    ["actions"],
  ),
);

const journalQuery = v.pipe(
  v.strictObject({
    order: v.optional(v.picklist(["asc", "desc"], "must be asc or desc"), "asc"),
    after: v.optional(wholeNumberField(0, Number.MAX_SAFE_INTEGER)),
    before: v.optional(wholeNumberField(1, Number.MAX_SAFE_INTEGER)),
    limit: v.optional(wholeNumberField(1, HOST_LIMITS.journalPage), String(HOST_LIMITS.journalPage)),
  }),
  v.forward(
    v.check(({ order, after }) => order === "asc" || after === undefined, "is for order=asc; send before"),
    ["after"],
  ),
  v.forward(
    v.check(({ order, before }) => order === "desc" || before === undefined, "is for order=desc; send after"),
    ["before"],
  ),
);

const streamQuery = v.strictObject({
  from: v.optional(v.picklist(["start", "now"], "must be start or now"), "start"),
  lastEventId: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(HOST_LIMITS.cursorChars, `has more than ${HOST_LIMITS.cursorChars} characters`),
      v.description("The `id` of an event: the stream continues after it."),
    ),
  ),
  ticket: v.optional(v.pipe(v.string(), v.description("A ticket of `POST /api/tickets`, in place of credentials."))),
});

/**
 * Returns the position after which the reader continues; `undefined`: from the start.
 * @throws ApiRefusal `invalid_query`
 */
function cursorOf({ headers }: Request, lastEventId: string | undefined, isSocket: boolean): string | undefined {
  const given = { "Last-Event-ID": headers.get("Last-Event-ID") ?? "", lastEventId: lastEventId ?? "" };
  for (const [name, cursor] of Object.entries(given)) {
    const message = cursorProblem(cursor, isSocket);
    if (message !== undefined)
      throw new ApiRefusal("invalid_query", `${name}: the cursor ${message}.`, { issues: [{ path: name, message }] });
  }
  // A browser that reconnects sends the newer cursor in the header.
  return given["Last-Event-ID"] || given.lastEventId || undefined;
}

/** Adds what the object of the run does not know: the reasons of other runs, and the scopes of the caller. */
async function extended(
  call: CheckedCall<"/api/runs/:id", v.InferOutput<typeof readQuery>, unknown>,
  answer: Response,
): Promise<Response> {
  const { query, ids, principal } = call;
  if (query.why === undefined && query.actions === undefined) return answer;
  const run: RunOverview = await answer.json();
  const { actions } = run;
  return Response.json({
    ...run,
    why: query.why === undefined ? run.why : await deepWhy(call, ids.id, run.why),
    ...(actions === undefined ? {} : { actions: withScopes(actions, principal, ids.id) }),
  });
}

export const runRoutes: readonly Route[] = [
  route({
    id: "readRun",
    verb: "GET",
    path: "/api/runs/:id",
    summary:
      "Returns the run: its record, or with `view` less of it. `why=deep` adds the reasons of its children, `actions=true` what the API would answer to each action.",
    scope: "read",
    headers: WAIT_HEADER,
    query: readQuery,
    answers: { 200: "Run" },
    views: { summary: "RunOverview", result: "RunResult" },
    handle: async (call) => {
      const waitMs = preferredWaitMs(call.request, call.deps);
      const { view: shows, actions } = call.query;
      const answer = await askRun(call, call.ids.id, { ask: "read", waitMs, shows, actions: actions === "true" });
      if (!answer.ok) return answer;
      return withMore(await extended(call, answer), waitApplied(call.request, call.deps));
    },
  }),
  route({
    id: "deleteRun",
    verb: "DELETE",
    path: "/api/runs/:id",
    summary: "Deletes an ended run with all its data.",
    scope: "operate",
    answers: { 204: null },
    refusals: ["run_not_ended"],
    handle: (call) => askRun(call, call.ids.id, { ask: "delete", by: call.principal.subject }),
  }),
  route({
    id: "readJournal",
    verb: "GET",
    path: "/api/runs/:id/journal",
    summary: "Returns one page of the run's journal.",
    scope: "read",
    query: journalQuery,
    answers: { 200: "Journal" },
    handle: (call) => askRun(call, call.ids.id, { ask: "journal", after: 0, ...defined(call.query) }),
  }),
  route({
    id: "readAudit",
    verb: "GET",
    path: "/api/runs/:id/audit",
    summary: "Returns the newest 1,000 actions of callers on the run.",
    scope: "read",
    answers: { 200: "Audit" },
    handle: (call) => askRun(call, call.ids.id, { ask: "audit" }),
  }),
  route({
    id: "followRun",
    verb: "GET",
    path: "/api/runs/:id/stream",
    summary:
      "Follows the run to its end: Server-Sent Events `run`, `step`, `waitpoint`, `metadata` and `chunk`. With `Upgrade: websocket` the route opens a WebSocket that hibernates.",
    scope: "read",
    query: streamQuery,
    headers: { "Last-Event-ID": "The stream continues after this event." },
    answers: { 101: null, 200: "text/event-stream" },
    refusals: ["sockets_not_configured", "too_many_readers"],
    handle: (call) => {
      const { request, ids, query } = call;
      const headersOnly = request.method === "HEAD";
      const isSocket = !headersOnly && request.headers.get("Upgrade")?.toLowerCase() === "websocket";
      const cursor = cursorOf(request, query.lastEventId, isSocket);
      const fromNow = cursor === undefined && query.from === "now";
      if (isSocket) return openSocket(call, ids.id, { cursor, fromNow });
      return askRun(call, ids.id, { ask: "follow", cursor, fromNow, headersOnly, ticket: call.ticket });
    },
  }),
];
