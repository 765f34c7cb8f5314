/**
 * Routes that act on many runs: `POST /api/runs/bulk` and `POST /api/index/rebuild`.
 *
 * Owns: the selection of runs by ids or by a filter of the index, and the limit on concurrent requests. Each run's own
 * object performs the action.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import * as v from "valibot";
import type { Position, RunQuery } from "../../index-object/run-index.ts";
import { ApiRefusal } from "../../refusal.ts";
import { pauseIfBusy } from "../../rest.ts";
import { countAbsent } from "../call/absent-runs.ts";
import { logRefusal } from "../call/audited.ts";
import { idField, nameField, reasonField } from "../call/fields.ts";
import { ACT_HEADERS, readIdempotencyKey } from "../call/idempotency-key.ts";
import { filterTagsField, statusField } from "./lists.ts";
import { cursorField, writeCursor } from "../call/page-cursor.ts";
import type { RunCommand } from "../../run-object/commands.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";
import { askObject, askRun } from "../call/run-objects.ts";
import { requireIndex } from "../call/worker-deps.ts";

/** The platform limits the open connections of a Worker. */
const CONCURRENT_ASKS_MAX = 10;

const bulkIds = v.pipe(
  v.array(idField),
  v.minLength(1, "at least one"),
  v.maxLength(HOST_LIMITS.bulkRuns, `at most ${HOST_LIMITS.bulkRuns}`),
);

const bulkFilter = v.strictObject({
  workflowId: v.optional(nameField),
  status: v.optional(statusField),
  tag: v.optional(filterTagsField),
  createdAfter: v.optional(v.pipe(v.number(), v.integer())),
  createdBefore: v.optional(v.pipe(v.number(), v.integer())),
  parentRunId: v.optional(idField),
});

const bulkBody = v.pipe(
  v.strictObject({
    action: v.picklist(["cancel", "retry"], "must be cancel or retry"),
    reason: v.optional(reasonField),
    ids: v.optional(bulkIds),
    filter: v.optional(bulkFilter),
    cursor: v.optional(cursorField),
  }),
  v.check(({ ids, filter }) => (ids === undefined) !== (filter === undefined), "needs either ids or a filter"),
);

const objectId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"));

const rebuildBody = v.strictObject({
  runIds: v.optional(v.pipe(v.array(idField), v.maxLength(HOST_LIMITS.bulkRuns, `at most ${HOST_LIMITS.bulkRuns}`))),
  objectIds: v.optional(
    v.pipe(v.array(objectId), v.maxLength(HOST_LIMITS.bulkRuns, `at most ${HOST_LIMITS.bulkRuns}`)),
  ),
  restored: v.optional(v.literal(true)),
});

export const bulkRoutes: readonly Route[] = [
  route({
    id: "actOnManyRuns",
    verb: "POST",
    path: "/api/runs/bulk",
    summary: "Cancels or retries up to a hundred runs, by ids or by a filter.",
    scope: "operate",
    headers: ACT_HEADERS,
    body: bulkBody,
    answers: { 202: "Bulk" },
    refusals: ["index_not_configured"],
    handle: actOnMany,
  }),
  route({
    id: "rebuildIndex",
    verb: "POST",
    path: "/api/index/rebuild",
    summary: "Makes runs report to the index again.",
    scope: "admin",
    indexed: true,
    body: rebuildBody,
    answers: { 202: "Rebuilt" },
    handle: rebuildIndex,
  }),
];

/** Acts on up to HOST_LIMITS.bulkRuns runs. `nextCursor` is the start of the filter's next page. */
async function actOnMany(call: CheckedCall<string, unknown, v.InferOutput<typeof bulkBody>>): Promise<Response> {
  const { body, principal } = call;
  const { ids, next } =
    body.ids === undefined ? await select(call, body.filter ?? {}, body.cursor) : { ids: body.ids, next: undefined };
  const by = principal.subject;
  const requestKey = readIdempotencyKey(call.request);
  const answers = await askEach(ids, (id) =>
    askRun(
      call,
      id,
      body.action === "cancel"
        ? { ask: "input", input: { type: "cancel", reason: body.reason, by, requestKey } }
        : { ask: "input", input: { type: "retry", by, requestKey } },
    ),
  );
  const refused = answers.filter(({ status }) => status >= 300);
  for (const { id: runId, body: answer } of refused)
    logRefusal(principal, { route: "actOnManyRuns", action: body.action, runId, code: answer.error });
  return Response.json(
    {
      asked: ids.length,
      done: ids.length - refused.length,
      refused: refused.map(({ id, body: { error, message } }) => ({ id, error, message })),
      nextCursor: next === undefined ? null : writeCursor(next),
    },
    { status: 202 },
  );
}

/**
 * Makes runs report to the index again, after the index was lost or was added to an existing deployment. `restored`: the
 * runs come from a back-up, so each also sets its alarm again and repeats its messages (DUR14).
 */
async function rebuildIndex(call: CheckedCall<string, unknown, v.InferOutput<typeof rebuildBody>>): Promise<Response> {
  const { principal } = call;
  const { runIds = [], objectIds = [], restored } = call.body;
  const by = principal.subject;
  if (objectIds.length > 0 && principal.tenantId !== undefined) {
    throw new ApiRefusal(
      "forbidden",
      "objectIds may name runs of any tenant, but these credentials belong to one tenant. Send runIds.",
    );
  }
  const command: RunCommand = { ask: "input", input: { type: "reindex", by, restored } };
  const byName = await askEach(runIds, (id) => askRun(call, id, command));
  const byId = await askEach(objectIds, (id) => askById(call, id, command));
  const answers = [...byName, ...byId];
  // A run that is passed over would not continue.
  const failed = restored && answers.find(({ status }) => status >= 500);
  if (failed) throw new ApiRefusal("internal_error", `${failed.id}: ${failed.body.message}`);
  const reported = answers.filter(({ status }) => status < 300).length;
  const unknown = answers.length - reported;
  const message = restored ? "runs restored" : "index rebuilt";
  console.log(JSON.stringify({ message, by, tenantId: principal.tenantId, told: reported, unknown }));
  return Response.json({ told: reported, unknown }, { status: 202 });
}

/** Sends a command to the object with this id. An object that fails does not hide what became of the others (IDX5). */
async function askById(call: Call, id: string, command: RunCommand & { readonly ask: "input" }): Promise<Response> {
  const { deps } = call;
  if (deps.runDO.idFromString === undefined)
    throw new ApiRefusal("invalid_body", "objectIds: this platform does not support object ids. Send runIds.");
  let object: unknown;
  try {
    object = deps.runDO.idFromString(id);
  } catch {
    return Response.json({ error: "not_found" }, { status: 404 });
  }
  // Files of a back-up without a run are no guesses.
  const isRestored = command.input.type === "reindex" && command.input.restored === true;
  const send = (): Promise<Response> => askObject(deps, object, command);
  try {
    return await (isRestored ? send() : countAbsent(call, "input", send));
  } catch (error) {
    if (error instanceof ApiRefusal) throw error;
    return new ApiRefusal("internal_error", "The object failed.").toResponse();
  }
}

async function select(
  { deps, principal }: Call,
  { tag, ...filter }: v.InferOutput<typeof bulkFilter>,
  after: Position | undefined,
): Promise<{ readonly ids: readonly string[]; readonly next: Position | undefined }> {
  // Oldest first: runs that are created between two pages do not shift the second page.
  const query: RunQuery = {
    ...filter,
    tags: tag,
    order: "asc",
    limit: HOST_LIMITS.bulkRuns,
    after,
  };
  const { runs, next } = await requireIndex(deps).query(principal.tenantId, query);
  return { ids: runs.map(({ id }) => id), next };
}

interface RunAnswer {
  readonly id: string;
  readonly status: number;
  readonly body: { readonly error?: string; readonly message?: string };
}

/** A refusal of one run must not hide what became of the others (IDX5). */
function answerOfRefusal(error: unknown): Response {
  if (error instanceof ApiRefusal) return error.toResponse();
  throw error;
}

async function askEach(ids: readonly string[], ask: (id: string) => Promise<Response>): Promise<RunAnswer[]> {
  const answers: RunAnswer[] = [];
  for (let at = 0; at < ids.length; at += CONCURRENT_ASKS_MAX) {
    await pauseIfBusy();
    const some = ids.slice(at, at + CONCURRENT_ASKS_MAX).map(async (id): Promise<RunAnswer> => {
      const response = await ask(id).catch(answerOfRefusal);
      return { id, status: response.status, body: (await response.json()) as RunAnswer["body"] };
    });
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}
