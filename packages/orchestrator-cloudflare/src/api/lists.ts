/**
 * Listing runs, and acting on many: `GET /api/runs`, `POST /api/runs/bulk`, `POST /api/index/rebuild`.
 *
 * Owns: from a query to the index of runs, and cursors. What is done to many runs is done to one after the other by
 * their own objects; the index only says which.
 */
import type { IndexRow } from "@holdfast/orchestrator";
import { LIMITS, type ListedRun } from "@holdfast/protocol";
import * as v from "valibot";
import type { Position, RunFilter, RunIndex, RunQuery } from "../index-object/run-index.ts";
import { type ApiContext, askObject, askRunObject, bytesMax } from "./api-context.ts";
import { ApiRefusal } from "../refusal.ts";
import { readBody } from "../request-body.ts";
import { bulkBody, listQuery, rebuildBody } from "./schemas.ts";

export async function listRuns(c: ApiContext): Promise<Response> {
  const index = indexOf(c);
  const { tag: _tag, ...single } = c.req.query();
  const tags = c.req.queries("tag") ?? [];
  const query = v.safeParse(listQuery, { ...single, ...(tags.length === 0 ? {} : { tag: tags }) });
  if (!query.success) {
    const [issue] = query.issues;
    const field = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
    const message = issue.expected === "never" ? "unknown field" : issue.message;
    throw new ApiRefusal("invalid_query", `The query is not as it should be: ${field}: ${message}.`);
  }
  const { tag, cursor, ...rest } = query.output;
  const page = await index.query(c.var.principal.tenantId, { ...rest, tags: tag, after: readCursor(cursor) });
  return Response.json({ runs: page.runs.map(describeRow), nextCursor: page.next ? writeCursor(page.next) : null });
}

/** Asks up to LIMITS.bulkRuns runs; `nextCursor` says where to go on. */
export async function actOnMany(c: ApiContext): Promise<Response> {
  const body = await readBody(c.req.raw, bulkBody, bytesMax(c));
  const { ids, next } = body.ids === undefined ? await select(c, body.filter ?? {}, body.cursor) : { ids: body.ids };
  const by = c.var.principal.subject;
  const answers = await inTurn(ids, (id) =>
    askRunObject(
      c,
      id,
      body.action === "cancel"
        ? { command: "cancel", reason: body.reason, by }
        : { command: "operate", operation: "retry", by },
    ),
  );
  const refused = answers.filter(({ status }) => status >= 300);
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

/** Has runs tell the index anew: it was lost, or came later than they did. */
export async function rebuildIndex(c: ApiContext): Promise<Response> {
  indexOf(c);
  const { runIds = [], objectIds = [] } = await readBody(c.req.raw, rebuildBody, bytesMax(c));
  const { runDO } = c.env;
  if (objectIds.length > 0 && c.var.principal.tenantId !== undefined) {
    throw new ApiRefusal("forbidden", "objectIds may name runs of any tenant; these credentials belong to one.");
  }
  const byName = await inTurn(runIds, (id) => askRunObject(c, id, { command: "reindex" }));
  const byId = await inTurn(objectIds, async (id) => {
    if (runDO.idFromString === undefined) throw new ApiRefusal("invalid_body", "objectIds: this platform has none.");
    try {
      return await askObject(c.env, runDO.idFromString(id), { command: "reindex" });
    } catch {
      return Response.json({ error: "not_found" }, { status: 404 });
    }
  });
  const told = [...byName, ...byId].filter(({ status }) => status < 300).length;
  return Response.json({ told, unknown: runIds.length + objectIds.length - told }, { status: 202 });
}

async function select(
  c: ApiContext,
  { tag, ...filter }: Omit<RunFilter, "tags"> & { readonly tag?: readonly string[] | undefined },
  cursor: string | undefined,
): Promise<{ readonly ids: readonly string[]; readonly next: Position | undefined }> {
  // From the oldest on: runs that are made meanwhile do not push the page.
  const query: RunQuery = { ...filter, tags: tag, order: "asc", limit: LIMITS.bulkRuns, after: readCursor(cursor) };
  const { runs, next } = await indexOf(c).query(c.var.principal.tenantId, query);
  return { ids: runs.map(({ id }) => id), next };
}

interface RunAnswer {
  readonly id: string;
  readonly status: number;
  readonly body: { readonly error?: string; readonly message?: string };
}

/** Ten at a time: a Worker may have few connections open. */
async function inTurn(ids: readonly string[], ask: (id: string) => Promise<Response>): Promise<RunAnswer[]> {
  const answers: RunAnswer[] = [];
  for (let at = 0; at < ids.length; at += 10) {
    const some = ids.slice(at, at + 10).map(async (id): Promise<RunAnswer> => {
      const response = await ask(id);
      return { id, status: response.status, body: (await response.json()) as RunAnswer["body"] };
    });
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}

function indexOf(c: ApiContext): RunIndex {
  const { runIndex } = c.env;
  if (runIndex !== undefined) return runIndex;
  throw new ApiRefusal(
    "index_not_configured",
    "This deployment has no index of its runs, so they cannot be listed. Pass runIndex to the Worker and to the run's object.",
  );
}

/** As the summary of a run shows it. */
function describeRow({
  tenantId,
  version: _version,
  parentRunId,
  resumedFrom,
  workflowVersion,
  ...row
}: IndexRow): ListedRun {
  return {
    ...row,
    workflowVersion: workflowVersion ?? null,
    tenantId,
    parent: parentRunId === undefined ? undefined : { runId: parentRunId },
    resumedFrom: resumedFrom === undefined ? undefined : { runId: resumedFrom },
  };
}

function writeCursor({ createdAt, id }: Position): string {
  const bytes = new TextEncoder().encode(id);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `${createdAt}.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, createdAt = "", text = ""] = /^(\d{1,16})\.([\w-]*)$/.exec(cursor) ?? [];
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    if (createdAt !== "")
      return { createdAt: Number(createdAt), id: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    // It is told below.
  }
  throw new ApiRefusal("invalid_query", "The cursor is none of this API: give back a nextCursor as it came.");
}
