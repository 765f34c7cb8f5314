/**
 * Routes of limits: who holds, who waits, and what operators change (L5).
 *
 * Owns: the two forms of a limit's path: with a key, and without one if the limit has none.
 */
import {
  GATE_LIST,
  type GateCommand,
  type IndexRow,
  type ListCommand,
  type ListedGates,
  type VoidCommand,
  gateName,
  limitOf,
  storedKey,
} from "@holdfast/orchestrator";
import { HOST_LIMITS, type LimitRecord } from "@holdfast/protocol";
import * as v from "valibot";
import { toBase64Url } from "../../auth/base64-url.ts";
import { commandCoordinator } from "../call/coordinators.ts";
import { idField, wholeNumberField } from "../call/fields.ts";
import { cursorField, textCursorField, writeCursor } from "../call/page-cursor.ts";
import { ACT_HEADERS, requestKeyOf } from "../call/idempotency-key.ts";
import { ApiRefusal } from "../../refusal.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";
import { askRun } from "../call/run-objects.ts";
import { viewOf } from "../answers/shown-fields.ts";
import { requireIndex } from "../call/worker-deps.ts";

const listQuery = v.strictObject({
  name: v.optional(idField),
  limit: v.optional(wholeNumberField(1, HOST_LIMITS.limitPage), String(HOST_LIMITS.limitPage)),
  cursor: v.optional(textCursorField),
});

const overrideBody = v.strictObject({
  max: v.nullable(
    v.pipe(
      v.number(),
      v.integer("must be a whole number"),
      v.minValue(1, "must be at least 1"),
      v.maxValue(HOST_LIMITS.limitMax, `must be at most ${HOST_LIMITS.limitMax}`),
    ),
  ),
});
const pauseBody = v.strictObject({ paused: v.optional(v.boolean(), true) });
const kickBody = v.strictObject({ runId: idField });
const syncBody = v.strictObject({ dryRun: v.optional(v.boolean(), false), cursor: v.optional(textCursorField) });
const rebuildBody = v.strictObject({ cursor: v.optional(cursorField) });

const PATHS = [
  { path: "/api/limits/:name", of: "Limit", what: "a limit without a key" },
  { path: "/api/limits/:name/:key", of: "LimitKey", what: "a limit for one key" },
] as const;

const COMMON = {
  answers: { 200: "LimitRecord" },
  refusals: ["limits_not_configured", "newer_format", "not_found"],
} as const;

type Place = CheckedCall<"/api/limits/:name", unknown, unknown> & { readonly ids: { readonly key?: string } };

export const limitRoutes: readonly Route[] = [
  route({
    id: "listLimits",
    verb: "GET",
    path: "/api/limits",
    summary:
      "Lists limits, by name and key: those at which a run waits or has waited, holds for a minute or longer, or whose settings an operator changed.",
    scope: "read",
    query: listQuery,
    answers: { 200: "LimitList" },
    refusals: ["limits_not_configured", "newer_format"],
    handle: listLimits,
  }),
  route({
    id: "rebuildLimits",
    verb: "POST",
    path: "/api/limits/rebuild",
    summary: "Makes a page of runs state what they hold again, after the storage of limits was lost.",
    scope: "operate",
    indexed: true,
    body: rebuildBody,
    answers: { 200: "LimitsRebuilt" },
    handle: rebuild,
  }),
  route({
    id: "syncLimits",
    verb: "POST",
    path: "/api/limits/sync",
    summary:
      "Applies the limits that the served code declares to a page of the list, and voids those of later builds. With `dryRun`: only says what would change.",
    scope: "operate",
    body: syncBody,
    answers: { 200: "LimitSync" },
    refusals: ["limits_not_configured", "newer_format", "not_applicable"],
    handle: syncLimits,
  }),
  ...PATHS.flatMap(limitRoutesOf),
];

function limitRoutesOf({ path, of, what }: (typeof PATHS)[number]): Route[] {
  return [
    route({
      ...COMMON,
      id: `read${of}`,
      verb: "GET",
      path,
      summary: `Reads ${what}: who holds, and who waits.`,
      scope: "read",
      handle: (call) => command(call, { type: "read" }),
    }),
    route({
      ...COMMON,
      id: `override${of}`,
      verb: "PATCH",
      path,
      summary: `Sets max of ${what}, in place of that of the code. null: that of the code applies again.`,
      scope: "operate",
      headers: ACT_HEADERS,
      body: overrideBody,
      refusals: [...COMMON.refusals, "not_applicable"],
      handle: (call) => command(call, { type: "override", max: call.body.max, by: call.principal.subject }),
    }),
    pauseRoute(path, of, what),
    kickRoute(path, of, what),
  ];
}

type Path = (typeof PATHS)[number]["path"];

function pauseRoute(path: Path, of: string, what: string): Route {
  return route({
    ...COMMON,
    id: `pause${of}`,
    verb: "POST",
    path: `${path}/pause`,
    summary: `Admits nobody to ${what}, or with "paused": false admits again. Who holds continues.`,
    scope: "operate",
    headers: ACT_HEADERS,
    body: pauseBody,
    handle: (call) => command(call, { type: "pause", paused: call.body.paused, by: call.principal.subject }),
  });
}

function kickRoute(path: Path, of: string, what: string): Route {
  return route({
    ...COMMON,
    id: `kickFrom${of}`,
    verb: "POST",
    path: `${path}/kick`,
    summary: `Cancels a run that waits at or holds ${what}, and gives its place to the next at once.`,
    scope: "operate",
    headers: ACT_HEADERS,
    body: kickBody,
    handle: (call) => command(call, { type: "kick", runId: call.body.runId, by: call.principal.subject }),
  });
}

async function command(call: Place, input: GateCommand): Promise<Response> {
  const { name, key } = call.ids;
  const stored = key === undefined ? undefined : storedKey(key);
  const answer = await commandCoordinator(
    call,
    { kind: "gate", name: gateName(name, stored) },
    input,
    requestKeyOf(call),
  );
  if (!answer.ok || viewOf(call.principal).run) return answer;
  // A caller who may not read learns nothing of runs (SEC7).
  const { next: _next, ...record } = (await answer.json()) as LimitRecord;
  return Response.json({ ...record, holders: [], queue: [] } satisfies LimitRecord);
}

async function listLimits(call: CheckedCall<string, v.InferOutput<typeof listQuery>, unknown>): Promise<Response> {
  const { name, limit: count, cursor } = call.query;
  return eachListed(
    call,
    { name, count, cursor },
    () => ({ type: "read" }),
    (limits) => ({ limits }),
  );
}

interface Page {
  readonly name?: string | undefined;
  readonly count: number;
  readonly cursor: string | undefined;
}

/** Sends a command to each gate of a page of the list. A gate may leave the list meanwhile. */
async function eachListed(
  call: Call,
  { name: limit, count, cursor: after }: Page,
  commandFor: (name: string) => GateCommand,
  body: (answers: unknown[]) => object,
): Promise<Response> {
  const ask: ListCommand = { type: "list", limit, count, after };
  const page = await commandCoordinator(call, { kind: "gates", name: GATE_LIST }, ask);
  if (!page.ok) return page;
  const { names, more } = (await page.json()) as ListedGates;
  const answers = await Promise.all(
    names.map(async (name) => {
      const answer = await commandCoordinator(call, { kind: "gate", name }, commandFor(name));
      return answer.ok ? await answer.json() : undefined;
    }),
  );
  const nextCursor = more ? toBase64Url(names.at(-1) ?? "") : null;
  return Response.json({ ...body(answers.filter((one) => one !== undefined)), nextCursor });
}

/** The limits of all tenants ask the list of the deployment which builds are void, so no tenant may say so. */
async function syncLimits(call: CheckedCall<string, unknown, v.InferOutput<typeof syncBody>>): Promise<Response> {
  const { deps, principal, body } = call;
  const { rev = 0, declaredLimits = [] } = deps;
  const voided = { above: rev, until: Math.max(Date.now(), rev) };
  const { dryRun, cursor } = body;
  if (principal.tenantId !== undefined) {
    const message = "The limits of the code belong to no tenant. Send the request with a token that has no tenant.";
    throw new ApiRefusal("not_applicable", `${message} Nothing was changed.`);
  }
  if (!dryRun && cursor === undefined) {
    const all = { kind: "gates", name: GATE_LIST, scope: "deployment" } as const;
    const answer = await commandCoordinator(call, all, { type: "void", ...voided } satisfies VoidCommand);
    if (!answer.ok) return answer;
  }
  const commandFor = (name: string): GateCommand => {
    const { limit } = limitOf(name);
    const declared = declaredLimits.find((one) => one.name === limit)?.settings;
    return { type: "sync", ...voided, declared, dryRun };
  };
  return eachListed(call, { count: HOST_LIMITS.limitPage, cursor }, commandFor, (changes) => ({
    rev,
    changes,
  }));
}

const ACTIVE: ReadonlySet<string> = new Set(["pending", "running", "waiting", "paused"]);
/** A run with this status executes no step. */
const RESTS: ReadonlySet<string> = new Set(["pending", "waiting"]);

/** Whether a run may hold a limit: the index names its limits. A run that executes may have begun a step with one since its row was written. */
function mayHold({ status, limits }: IndexRow): boolean {
  return ACTIVE.has(status) && (limits === undefined || limits.length > 0 || !RESTS.has(status));
}

async function rebuild(call: CheckedCall<string, unknown, v.InferOutput<typeof rebuildBody>>): Promise<Response> {
  const { deps, principal, body } = call;
  const page = await requireIndex(deps).query(principal.tenantId, {
    order: "desc",
    limit: HOST_LIMITS.bulkRuns,
    after: body.cursor,
  });
  const active = page.runs.filter(mayHold);
  const by = principal.subject;
  await Promise.all(active.map(({ id }) => askRun(call, id, { ask: "input", input: { type: "restateHolds", by } })));
  return Response.json({ asked: active.length, nextCursor: page.next ? writeCursor(page.next) : null });
}
