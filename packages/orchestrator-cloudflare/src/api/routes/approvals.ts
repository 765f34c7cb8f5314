/**
 * `GET /api/approvals`: the open asks of all runs, from the index (ASK6).
 *
 * Owns: the parameters, the cursor, and what a caller sees of an ask.
 */
import { type Approval, HOST_LIMITS } from "@holdfast/protocol";
import * as v from "valibot";
import { fromBase64Url, toBase64Url } from "../../auth/base64-url.ts";
import type { AskPosition, ListedAsk } from "../../index-object/run-index.ts";
import { ApiRefusal } from "../../refusal.ts";
import { HIDDEN, hideTokenUrls } from "../../token-urls.ts";
import { timeMsField, wholeNumberField } from "../call/fields.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";
import { viewOf } from "../answers/shown-fields.ts";
import { requireIndex } from "../call/worker-deps.ts";

const POSITION = v.strictTuple([v.number(), v.number(), v.string(), v.string()]);

/** A cursor: the position of the last ask, as JSON in URL-safe text. */
const cursorField: v.GenericSchema<string, AskPosition> = v.pipe(
  v.string(),
  v.description("A `nextCursor`."),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const position = v.safeParse(POSITION, jsonOf(fromBase64Url(dataset.value)));
    if (position.success) {
      const [until, openedAt, runId, op] = position.output;
      return { until, openedAt, runId, op };
    }
    addIssue({ message: "is not the nextCursor of an answer; send a nextCursor unchanged" });
    return NEVER;
  }),
);

function jsonOf(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function writeCursor({ until, openedAt, runId, op }: AskPosition): string {
  return toBase64Url(JSON.stringify([until, openedAt, runId, op]));
}

const approvalsQuery = v.strictObject({
  assignee: v.optional(v.pipe(v.string(), v.maxLength(HOST_LIMITS.askAssigneeChars))),
  before: v.optional(timeMsField),
  limit: v.optional(wholeNumberField(1, HOST_LIMITS.listPage), "50"),
  cursor: v.optional(cursorField),
});

export const approvalRoutes: readonly Route[] = [
  route({
    id: "listApprovals",
    verb: "GET",
    path: "/api/approvals",
    summary:
      "Lists the open asks of all runs, the earliest deadline first. Those past their deadline are left out. A page may have fewer asks than `limit` although more exist.",
    scope: "read",
    indexed: true,
    query: approvalsQuery,
    answers: { 200: "ApprovalList" },
    handle: listApprovals,
  }),
];

async function listApprovals({
  deps,
  principal,
  query: { cursor, ...query },
}: CheckedCall<string, v.InferOutput<typeof approvalsQuery>, unknown>): Promise<Response> {
  const index = requireIndex(deps);
  if (index.approvals === undefined)
    throw new ApiRefusal("index_not_configured", "The index of this deployment has no method approvals.");
  const page = await index.approvals(principal.tenantId, { ...query, now: Date.now(), after: cursor });
  const { tokenIds } = viewOf(principal);
  const list = JSON.stringify({
    approvals: page.asks.map((ask) => describeAsk(ask, tokenIds)),
    nextCursor: page.next ? writeCursor(page.next) : null,
  });
  // Details may quote the URL, or the id, of another token (SEC7).
  const ids = page.asks.flatMap(({ tokenId = "" }) => (/^[0-9a-f]{32}$/.test(tokenId) ? [tokenId] : []));
  const shown = tokenIds ? list : ids.reduce((text, id) => text.replaceAll(id, HIDDEN), hideTokenUrls(list));
  return new Response(shown, { headers: { "Content-Type": "application/json" } });
}

function describeAsk({ tokenId, ...ask }: ListedAsk, tokenIds: boolean): Approval {
  return { ...ask, ...(tokenIds ? { tokenId } : {}) };
}
