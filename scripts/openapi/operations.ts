/**
 * The operations of the API: what each takes, answers and refuses.
 *
 * Owns: the descriptions. What may be sent comes from the schemas that check it.
 */
import type { GenericSchema } from "valibot";
import type { ApiErrorCode } from "../../packages/orchestrator-cloudflare/src/refusal.ts";
import * as schemas from "../../packages/orchestrator-cloudflare/src/api/schemas.ts";
import type { Scope } from "../../packages/orchestrator-cloudflare/src/auth/principal.ts";

export interface Operation {
  readonly id: string;
  readonly verb: "get" | "post" | "delete" | "options";
  /** As the router has it. */
  readonly path: string;
  readonly summary: string;
  /** What the credentials must allow; without it no credentials are needed. */
  readonly scope?: Scope;
  readonly query?: GenericSchema;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: GenericSchema;
  /** Status to the name of a schema, or `null`: an answer without JSON. */
  readonly answers: Readonly<Record<number, string | null>>;
  /** Beside those that every operation of its kind has. */
  readonly refusals?: readonly ApiErrorCode[];
}

const RUN = "/api/runs/:id";
const WAIT = { Prefer: "`wait=SECONDS`, at most 60: holds the answer." };
const DELIVERED = { 202: "Delivered" } as const;
const OPERATED = { 202: "Operated" } as const;

export const OPERATIONS: readonly Operation[] = [
  {
    id: "triggerRun",
    verb: "post",
    path: "/api/runs",
    summary:
      "Triggers a run. The same id or idempotency key with the same workflow and input gives the run that is there.",
    scope: "trigger",
    headers: {
      ...WAIT,
      "Idempotency-Key": "The same as the field `idempotencyKey`.",
      traceparent: "W3C Trace Context, kept with the run.",
    },
    body: schemas.triggerBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "invalid_id", "workflow_not_found"],
  },
  {
    id: "listRuns",
    verb: "get",
    path: "/api/runs",
    summary: "Lists runs by the time of their creation. A page may hold fewer than `limit` although there are more.",
    scope: "read",
    query: schemas.listQuery,
    answers: { 200: "RunList" },
    refusals: ["index_not_configured", "invalid_query"],
  },
  {
    id: "actOnManyRuns",
    verb: "post",
    path: "/api/runs/bulk",
    summary: "Cancels or retries up to a hundred runs, by ids or by a filter.",
    scope: "operate",
    body: schemas.bulkBody,
    answers: { 202: "Bulk" },
    refusals: ["index_not_configured", "invalid_query"],
  },
  {
    id: "rebuildIndex",
    verb: "post",
    path: "/api/index/rebuild",
    summary: "Has runs tell the index anew.",
    scope: "admin",
    body: schemas.rebuildBody,
    answers: { 202: "Rebuilt" },
    refusals: ["index_not_configured"],
  },
  {
    id: "readRun",
    verb: "get",
    path: RUN,
    summary: "The run's record.",
    scope: "read",
    headers: WAIT,
    answers: { 200: "Run" },
  },
  {
    id: "deleteRun",
    verb: "delete",
    path: RUN,
    summary: "Deletes an ended run with everything in it.",
    scope: "operate",
    answers: { 204: null },
    refusals: ["run_not_ended"],
  },
  {
    id: "readJournal",
    verb: "get",
    path: `${RUN}/journal`,
    summary: "The run's journal, a page at a time.",
    scope: "read",
    query: schemas.journalQuery,
    answers: { 200: "Journal" },
    refusals: ["invalid_query"],
  },
  {
    id: "readAudit",
    verb: "get",
    path: `${RUN}/audit`,
    summary: "Who did what to the run: the newest 1,000 actions.",
    scope: "read",
    answers: { 200: "Audit" },
  },
  {
    id: "followRun",
    verb: "get",
    path: `${RUN}/stream`,
    summary:
      "Follows the run to its end: Server-Sent Events `run`, `step`, `waitpoint`, `metadata` and `chunk`. With `Upgrade: websocket`: a socket that hibernates.",
    scope: "read",
    query: schemas.streamQuery,
    headers: { "Last-Event-ID": "Goes on behind this event." },
    answers: { 200: "text/event-stream" },
    refusals: ["invalid_query", "origin_not_allowed", "sockets_not_configured", "too_many_readers"],
  },
  {
    id: "resumeRun",
    verb: "post",
    path: `${RUN}/resume`,
    summary: "A new run from an ended one, which takes over what was done before a step.",
    scope: "trigger",
    body: schemas.resumeBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "parent_not_ended", "unknown_step", "workflow_not_found"],
  },
  {
    id: "deliverEvent",
    verb: "post",
    path: `${RUN}/events`,
    summary: "Delivers an event.",
    scope: "deliver",
    body: schemas.eventBody,
    answers: DELIVERED,
    refusals: ["inbox_full", "run_terminal"],
  },
  {
    id: "deliverSignal",
    verb: "post",
    path: `${RUN}/signals`,
    summary: "Delivers a signal.",
    scope: "deliver",
    body: schemas.signalBody,
    answers: DELIVERED,
    refusals: ["inbox_full", "run_terminal"],
  },
  {
    id: "resolveToken",
    verb: "post",
    path: `${RUN}/tokens/:tokenId`,
    summary: "Answers a token, once.",
    scope: "deliver",
    body: schemas.tokenBody,
    answers: DELIVERED,
    refusals: ["already_resolved", "run_terminal", "token_not_found"],
  },
  {
    id: "cancelRun",
    verb: "post",
    path: `${RUN}/cancel`,
    summary: "Cancels the run; what it has done is undone.",
    scope: "operate",
    body: schemas.cancelBody,
    answers: OPERATED,
    refusals: ["run_terminal"],
  },
  ...(["pause", "unpause", "retry"] as const).map((verb): Operation => ({
    id: `${verb}Run`,
    verb: "post",
    path: `${RUN}/${verb}`,
    summary: {
      pause: "Stops the run until it is unpaused. Deliveries and timers are kept.",
      unpause: "Lets a paused run go on.",
      retry: "Lets a run go on that the engine has paused.",
    }[verb],
    scope: "operate",
    body: schemas.noBody,
    answers: OPERATED,
    refusals: ["not_applicable", "run_terminal"],
  })),
  {
    id: "listWorkflows",
    verb: "get",
    path: "/api/workflows",
    summary: "What the deployment serves.",
    scope: "read",
    answers: { 200: "Workflows" },
  },
  {
    id: "resolvePublicToken",
    verb: "post",
    path: "/public/tokens/:tenant/:id/:tokenId",
    summary: "Answers a public token, once. Its URL is the secret; pages of any site may send it.",
    body: schemas.tokenBody,
    answers: { 202: "PubliclyDelivered" },
    refusals: ["already_resolved", "run_terminal", "token_not_found"],
  },
  {
    id: "allowPublicToken",
    verb: "options",
    path: "/public/tokens/:tenant/:id/:tokenId",
    summary: "Tells browsers that pages of other sites may answer.",
    answers: { 204: null },
  },
  { id: "health", verb: "get", path: "/healthz", summary: "Tells that the Worker lives.", answers: { 200: "Health" } },
  { id: "openapi", verb: "get", path: "/openapi.json", summary: "This document.", answers: { 200: "Document" } },
];
