/**
 * Routes that show many events: the newest ones, and the topic of a key (EVT15).
 *
 * Owns: what a page of the list has of each event, which its object is asked.
 */
import { EVENT_LIST, type EventIds, type EventListCommand, topicAddress, topicName } from "@holdfast/orchestrator";
import { type EventList, type EventRecord, HOST_LIMITS, type ListedEvent, defined } from "@holdfast/protocol";
import * as v from "valibot";
import { toBase64Url } from "../../auth/base64-url.ts";
import { commandEvents } from "../call/coordinators.ts";
import { idField, wholeNumberField } from "../call/fields.ts";
import { textCursorField } from "../call/page-cursor.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";

const listQuery = v.strictObject({
  name: v.optional(idField),
  limit: v.optional(wholeNumberField(1, HOST_LIMITS.eventPage), String(HOST_LIMITS.eventPage)),
  cursor: v.optional(textCursorField),
});

export const eventListRoutes: readonly Route[] = [
  route({
    id: "listEvents",
    verb: "GET",
    path: "/api/events",
    summary:
      "Lists the newest 1,000 events, the newest first, with what each does. A page may have fewer events than `limit` although more exist.",
    scope: "read",
    query: listQuery,
    answers: { 200: "EventList" },
    refusals: ["events_not_configured", "newer_format"],
    handle: listEvents,
  }),
  route({
    id: "readTopic",
    verb: "GET",
    path: "/api/topics/:name/:key",
    summary: "Reads the events of a name and key that are stored, and the runs that wait for them.",
    scope: "read",
    answers: { 200: "Topic" },
    refusals: ["events_not_configured", "newer_format", "not_found"],
    handle: (call) => commandEvents(call, topicAddress(topicName(call.ids.name, call.ids.key)), { type: "read" }),
  }),
];

async function listEvents(call: CheckedCall<string, v.InferOutput<typeof listQuery>, unknown>): Promise<Response> {
  const { name, limit: count, cursor: after } = call.query;
  const answer = await commandEvents(call, EVENT_LIST, { type: "list", name, count, after } satisfies EventListCommand);
  if (!answer.ok) return answer;
  const { ids, next } = (await answer.json()) as EventIds;
  const events = await Promise.all(ids.map((id) => readListed(call, id)));
  return Response.json({
    events: events.filter((one) => one !== undefined),
    nextCursor: next === undefined ? null : toBase64Url(next),
  } satisfies EventList);
}

/** `undefined`: the event is not known any more. */
async function readListed(call: Call, id: string): Promise<ListedEvent | undefined> {
  const answer = await commandEvents(call, { kind: "event", name: id }, { type: "read" });
  if (!answer.ok) return undefined;
  const { name, key, source, receivedAt, by, targets, unmatched, replays } = (await answer.json()) as EventRecord;
  const numbers = { unmatched: unmatched.length, replays: replays.length };
  return { ...defined({ id, name, key, source, receivedAt, by, targets }), ...numbers };
}
