/**
 * Routes of schedules (SCH1–SCH12).
 *
 * Owns: the bodies, the commands to the objects of schedules, and what a caller sees of an answer. The orchestrator checks
 * declarations, and decides everything about ticks.
 */
import {
  type BackfillRequest,
  type PlannedTimes,
  type ScheduleCommand,
  type ScheduleConfig,
  type ScheduleListCommand,
  preview,
  readDeclaration,
  readPreview,
} from "@holdfast/orchestrator";
import { HOST_LIMITS, HoldfastError, type ListedSchedule, type ScheduleRecord } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { ApiRefusal } from "../../refusal.ts";
import { pauseIfBusy } from "../../rest.ts";
import { commandCoordinator } from "../call/coordinators.ts";
import { ACT_HEADERS, requestKeyOf } from "../call/idempotency-key.ts";
import { isoMs, objectField, reasonField, wholeNumberField } from "../call/fields.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";
import { listAddress, syncCommand } from "./schedule-sync.ts";
import { environmentOf } from "../call/worker-deps.ts";

const REFUSALS = ["limits_not_configured", "newer_format", "not_found"] as const;
const LISTS = ["limits_not_configured", "newer_format"] as const;

const declarationBody = v.pipe(
  objectField,
  v.description(
    "A declaration, as in code: see docs/how-to/schedule.md. `workflow` is the id of the workflow; dates are ISO 8601.",
  ),
);

const TIME = 'must be a time such as "2027-01-31T09:00:00Z"';
const timeField = v.pipe(
  v.string(),
  v.isoTimestamp(TIME),
  v.check((text) => Number.isFinite(isoMs(text)), TIME),
);

const backfillBody = v.strictObject({
  from: timeField,
  until: timeField,
  overlap: v.optional(v.picklist(["allow", "queue", "skip"]), "queue"),
  rate: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(HOST_LIMITS.backfillRate)), 60),
  newestFirst: v.optional(v.boolean(), false),
  again: v.optional(v.boolean(), false),
  dryRun: v.optional(v.boolean(), false),
});

const readQuery = v.strictObject({
  limit: v.optional(wholeNumberField(1, HOST_LIMITS.scheduleTicks), "20"),
  before: v.optional(wholeNumberField(1, Number.MAX_SAFE_INTEGER)),
});

const resumeBody = v.strictObject({ catchUp: v.optional(v.boolean(), false) });
const syncBody = v.strictObject({ dryRun: v.optional(v.boolean(), false) });
/** `key`: ends the id of the run, so that a repeated request starts one run. */
const triggerBody = v.strictObject({ key: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/))) });

type One = Call & { readonly ids: { readonly id: string } };

export const scheduleRoutes: readonly Route[] = [
  route({
    id: "listSchedules",
    verb: "GET",
    path: "/api/schedules",
    summary: "Lists the schedules, with their next time and what became of the last one.",
    scope: "read",
    answers: { 200: "ScheduleList" },
    refusals: LISTS,
    handle: (call) => commandList(call, { type: "list" }),
  }),
  route({
    id: "createSchedule",
    verb: "POST",
    path: "/api/schedules",
    summary: "Creates a schedule. The same declaration again changes nothing.",
    scope: "operate",
    body: declarationBody,
    answers: { 200: "Schedule" },
    refusals: [...LISTS, "not_applicable", "schedule_exists"],
    handle: create,
  }),
  route({
    id: "previewSchedule",
    verb: "POST",
    path: "/api/schedules/preview",
    summary:
      "Returns the next ten times of a declaration, with what the clock does then. It creates nothing. With `spread`, give the `id`: when it fires follows from it.",
    scope: "read",
    body: declarationBody,
    answers: { 200: "ScheduleTimes" },
    handle: ({ body }) => {
      const found = preview(
        checked(() => readPreview(body, "schedule")),
        Date.now(),
      );
      return Response.json({ total: found.length, times: found });
    },
  }),
  route({
    id: "syncSchedules",
    verb: "POST",
    path: "/api/schedules/sync",
    summary:
      "Applies the schedules that the served code declares, and voids those of later builds. With `dryRun`: only says what would change.",
    scope: "operate",
    body: syncBody,
    answers: { 200: "ScheduleSync" },
    refusals: [...LISTS, "not_applicable"],
    handle: sync,
  }),
  route({
    id: "readSchedule",
    verb: "GET",
    path: "/api/schedules/:id",
    summary: "Reads a schedule: its next ten times, and its ticks with what became of them, the newest first.",
    scope: "read",
    query: readQuery,
    answers: { 200: "Schedule" },
    refusals: REFUSALS,
    handle: (call) => answerSchedule(call, { type: "read", ...call.query }),
  }),
  route({
    id: "updateSchedule",
    verb: "PATCH",
    path: "/api/schedules/:id",
    summary: "Changes fields of a schedule that the API has made. `null` removes a field.",
    scope: "operate",
    headers: ACT_HEADERS,
    body: declarationBody,
    answers: { 200: "Schedule" },
    refusals: [...REFUSALS, "not_applicable"],
    handle: update,
  }),
  route({
    id: "deleteSchedule",
    verb: "DELETE",
    path: "/api/schedules/:id",
    summary: "Deletes a schedule that the API has made, or whose declaration is gone from the code. Its runs continue.",
    scope: "operate",
    answers: { 204: null },
    refusals: [...REFUSALS, "not_applicable"],
    handle: async (call) => {
      const answer = await command(call, { type: "delete" });
      return answer.ok ? new Response(null, { status: 204 }) : answer;
    },
  }),
  ...operateRoutes(),
];

function operateRoutes(): Route[] {
  return [
    route({
      id: "pauseSchedule",
      verb: "POST",
      path: "/api/schedules/:id/pause",
      summary: "Pauses a schedule: its ticks are skipped, also after a deploy.",
      scope: "operate",
      headers: ACT_HEADERS,
      body: v.strictObject({ reason: v.optional(reasonField) }),
      answers: { 200: "Schedule" },
      refusals: REFUSALS,
      handle: (call) => answerSchedule(call, { type: "pause", by: call.principal.subject, ...call.body }),
    }),
    route({
      id: "resumeSchedule",
      verb: "POST",
      path: "/api/schedules/:id/resume",
      summary: "Resumes a schedule. With `catchUp` the ticks of the pause count as missed.",
      scope: "operate",
      headers: ACT_HEADERS,
      body: resumeBody,
      answers: { 200: "Schedule" },
      refusals: REFUSALS,
      handle: (call) => answerSchedule(call, { type: "resume", by: call.principal.subject, ...call.body }),
    }),
    route({
      id: "triggerSchedule",
      verb: "POST",
      path: "/api/schedules/:id/trigger",
      summary: "Starts a run of the schedule now, whatever else executes.",
      scope: "trigger",
      body: triggerBody,
      answers: { 200: "ScheduleTriggered" },
      refusals: [...REFUSALS, "not_applicable"],
      handle: triggerNow,
    }),
    ...backfillRoutes(),
  ];
}

function backfillRoutes(): Route[] {
  return [
    route({
      id: "backfillSchedule",
      verb: "POST",
      path: "/api/schedules/:id/backfill",
      summary:
        "Starts the runs of past ticks, at most 10,000. With `dryRun`: only says which, of which it shows the first ten.",
      scope: "operate",
      headers: ACT_HEADERS,
      body: backfillBody,
      answers: { 200: "ScheduleTimes" },
      refusals: [...REFUSALS, "not_applicable"],
      handle: backfill,
    }),
    route({
      id: "cancelBackfill",
      verb: "DELETE",
      path: "/api/schedules/:id/backfill",
      summary: "Ends the backfill in progress. Runs that it started continue.",
      scope: "operate",
      headers: ACT_HEADERS,
      answers: { 200: "Schedule" },
      refusals: REFUSALS,
      handle: (call) => answerSchedule(call, { type: "cancelBackfill" }),
    }),
  ];
}

/** `isAct`: a repeated request with the same key has no effect again (API10). */
function command(call: One, input: ScheduleCommand, isAct = false): Promise<Response> {
  return commandCoordinator(
    call,
    { kind: "schedule", name: call.ids.id },
    input,
    isAct ? requestKeyOf(call) : undefined,
  );
}

function commandList(call: Call, input: ScheduleListCommand): Promise<Response> {
  return commandCoordinator(call, listAddress, input);
}

async function answerSchedule(call: One, input: ScheduleCommand): Promise<Response> {
  return onlySchedule(call, await command(call, input, true));
}

/** A caller who may not read sees no input and no run (SEC7). */
async function onlySchedule({ principal }: Call, answer: Response): Promise<Response> {
  if (!answer.ok) return answer;
  const { schedule } = (await answer.json()) as { readonly schedule: ScheduleRecord };
  if (principal.scopes.includes("read")) return Response.json(schedule);
  const { lastRunId: _run, backfill: _backfill, ...rest } = schedule;
  return Response.json({ ...rest, input: null, next: [], ticks: [], nextBefore: null } satisfies ScheduleRecord);
}

/** @throws ApiRefusal `invalid_body` with the field and the reason. */
function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new ApiRefusal("invalid_body", error.message);
  }
}

/** In the list of a tenant, the schedules of the code would begin a second time (SCH9). */
function sync(call: CheckedCall<string, unknown, v.InferOutput<typeof syncBody>>): Promise<Response> {
  if (call.principal.tenantId === undefined)
    return commandList(call, syncCommand(call.deps, { force: true, dryRun: call.body.dryRun }));
  const message = "The schedules of the code belong to no tenant. Send the request with a token that has no tenant.";
  throw new ApiRefusal("not_applicable", `${message} Nothing was changed.`);
}

async function create(call: CheckedCall<string, unknown, Record<string, unknown>>): Promise<Response> {
  const config = checked(() => readDeclaration(call.body, "schedule"));
  const listed = await commandList(call, { type: "list" });
  if (!listed.ok) return listed;
  const { schedules } = (await listed.json()) as { readonly schedules: readonly ListedSchedule[] };
  const isKnown = schedules.some(({ id }) => id === config.id);
  if (!isKnown && schedules.length >= HOST_LIMITS.schedules) {
    const message = `There are ${schedules.length} schedules; the limit is ${HOST_LIMITS.schedules}. Delete some, or unite their patterns.`;
    throw new ApiRefusal("not_applicable", message);
  }
  const { deps, principal } = call;
  const baseUrl = deps.publicUrl?.replace(/\/+$/, "");
  const input = { type: "create", config, by: principal.subject, environment: environmentOf(deps), baseUrl } as const;
  return onlySchedule(call, await commandCoordinator(call, { kind: "schedule", name: config.id }, input));
}

/** The fields of a record that a declaration has. */
const DECLARED = [
  "description",
  "tags",
  "cron",
  "seconds",
  "every",
  "anchor",
  "at",
  "tz",
  "from",
  "until",
  "skip",
  "spread",
  "overlap",
  "catchUp",
  "onFailures",
  "input",
] as const satisfies readonly (keyof ScheduleRecord)[];

async function update(call: One & { readonly body: Record<string, unknown> }): Promise<Response> {
  const answer = await command(call, { type: "read", limit: 1 });
  if (!answer.ok) return answer;
  const { schedule } = (await answer.json()) as { readonly schedule: ScheduleRecord };
  const known = Object.fromEntries(DECLARED.map((field) => [field, schedule[field]]));
  const { overlap = schedule.overlap } = call.body;
  const all = {
    ...known,
    // Without a queue its length means nothing: a change of the overlap alone is complete.
    queueMax: overlap === "queue" ? schedule.queueMax : undefined,
    workflow: schedule.workflowId,
    version: schedule.workflowVersion,
    ...call.body,
    id: schedule.id,
  };
  const fields = Object.fromEntries(Object.entries(all).filter(([name]) => call.body[name] !== null));
  const config: ScheduleConfig = checked(() => readDeclaration(fields, "schedule"));
  return answerSchedule(call, { type: "update", config, by: call.principal.subject });
}

async function triggerNow(call: One & { readonly body: v.InferOutput<typeof triggerBody> }): Promise<Response> {
  const unique = call.body.key ?? ulid();
  const answer = await command(call, { type: "trigger", by: call.principal.subject, unique });
  if (!answer.ok) return answer;
  const { runId } = (await answer.json()) as { readonly runId: string };
  return Response.json({ runId });
}

async function backfill(call: One & { readonly body: v.InferOutput<typeof backfillBody> }): Promise<Response> {
  const { dryRun, from, until, ...rest } = call.body;
  const request: BackfillRequest = {
    ...rest,
    id: ulid(),
    from: isoMs(from),
    until: isoMs(until),
    by: call.principal.subject,
  };
  if (request.until <= request.from) throw new ApiRefusal("invalid_body", "until: must be later than from.");
  const plan = await planBackfill(call, request);
  if (plan instanceof Response) return plan;
  const { times, first, of } = plan;
  if (dryRun) return Response.json({ total: times.length, times: first });
  return command(call, { type: "backfill", request, times, of }, true);
}

/** Returns all times of a backfill, or the answer that refuses it. The object computes some of them for each request. */
async function planBackfill(call: One, { from, until }: BackfillRequest): Promise<PlannedTimes | Response> {
  for (let plan: PlannedTimes | undefined; ;) {
    const { times = [], first, of } = plan ?? {};
    const known = { known: times.length, after: times.at(-1), of };
    const answer = await command(call, { type: "planBackfill", from, until, ...known });
    if (!answer.ok) return answer;
    const next = (await answer.json()) as PlannedTimes;
    plan = { ...next, times: [...times, ...next.times], first: first ?? next.first };
    if (plan.isLast) return plan;
    await pauseIfBusy();
  }
}
