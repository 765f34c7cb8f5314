/**
 * `GET /api/runs`: lists runs from the index (IDX3).
 */
import { type IndexRow, type View, shownFailure } from "@holdfast/orchestrator";
import { HOST_LIMITS, type ListedRun, RUN_STATUSES } from "@holdfast/protocol";
import * as v from "valibot";
import { hideTokenUrls } from "../../token-urls.ts";
import { idField, nameField, timeMsField, wholeNumberField } from "../call/fields.ts";
import { cursorField, writeCursor } from "../call/page-cursor.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";
import { viewOf } from "../answers/shown-fields.ts";
import { requireIndex } from "../call/worker-deps.ts";

export const statusField: v.PicklistSchema<typeof RUN_STATUSES, string> = v.picklist(
  RUN_STATUSES,
  `must be one of ${RUN_STATUSES.join(", ")}`,
);

export const filterTagsField = v.pipe(v.array(nameField), v.maxLength(10, "at most 10 tags"));

const listQuery = v.strictObject({
  workflowId: v.optional(nameField),
  status: v.optional(statusField),
  tag: v.optional(filterTagsField),
  createdAfter: v.optional(timeMsField),
  createdBefore: v.optional(timeMsField),
  parentRunId: v.optional(idField),
  order: v.optional(v.picklist(["asc", "desc"], "must be asc or desc"), "desc"),
  limit: v.optional(wholeNumberField(1, HOST_LIMITS.listPage), "50"),
  cursor: v.optional(cursorField),
});

export const listRoutes: readonly Route[] = [
  route({
    id: "listRuns",
    verb: "GET",
    path: "/api/runs",
    summary: "Lists runs by the time of their creation. A page may have fewer runs than `limit` although more exist.",
    scope: "read",
    indexed: true,
    query: listQuery,
    repeatable: ["tag"],
    answers: { 200: "RunList" },
    handle: listRuns,
  }),
];

async function listRuns({
  deps,
  principal,
  query: { tag, cursor, ...filter },
}: CheckedCall<string, v.InferOutput<typeof listQuery>, unknown>): Promise<Response> {
  const page = await requireIndex(deps).query(principal.tenantId, { ...filter, tags: tag, after: cursor });
  const view = viewOf(principal);
  const list = JSON.stringify({
    runs: page.runs.map((row) => describeRow(row, view)),
    nextCursor: page.next ? writeCursor(page.next) : null,
  });
  // The error of a child may quote the URL of its parent's token (SEC7).
  const shown = view.tokenIds ? list : hideTokenUrls(list);
  return new Response(shown, { headers: { "Content-Type": "application/json" } });
}

/** Converts a row of the index to the API's type. */
function describeRow(
  {
    tenantId,
    version: _version,
    parentRunId,
    resumedFrom,
    workflowVersion,
    error,
    why,
    limits: _limits,
    ...row
  }: IndexRow,
  view: View,
): ListedRun {
  return {
    ...row,
    // The row is as old as its run's last update. A time that is over says that it is not true any more (WHY5).
    why: why !== undefined && (why.until ?? Infinity) > Date.now() ? { ...why, asOf: row.updatedAt } : undefined,
    error: error && shownFailure(error, view),
    workflowVersion: workflowVersion ?? null,
    tenantId,
    parent: parentRunId === undefined ? undefined : { runId: parentRunId },
    resumedFrom: resumedFrom === undefined ? undefined : { runId: resumedFrom },
  };
}
