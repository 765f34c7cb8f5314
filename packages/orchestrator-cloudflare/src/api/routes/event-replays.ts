/**
 * `POST /api/events/replay`: replays the events of a name that were received in a time (EVT11).
 *
 * Owns: the page of events, and their order: the oldest first. The object of each event decides what starts.
 */
import { EVENT_LIST, type EventIds, type EventRangeCommand } from "@holdfast/orchestrator";
import { type EventsReplayed, HOST_LIMITS, type ReplayedEvent } from "@holdfast/protocol";
import * as v from "valibot";
import { toBase64Url } from "../../auth/base64-url.ts";
import type { EventRequest } from "../../coordinator/event-commands.ts";
import { commandEvents } from "../call/coordinators.ts";
import { timeField } from "./events.ts";
import { idField } from "../call/fields.ts";
import { ACT_HEADERS, requestKeyOf } from "../call/idempotency-key.ts";
import { textCursorField } from "../call/page-cursor.ts";
import { type Call, type CheckedCall, type Route, route } from "../call/route.ts";

const body = v.strictObject({
  name: idField,
  from: timeField,
  until: v.optional(timeField),
  mode: v.optional(v.picklist(["missing", "force"]), "missing"),
  triggers: v.optional(v.pipe(v.array(idField), v.maxLength(HOST_LIMITS.eventTriggers))),
  waits: v.optional(v.boolean(), false),
  dryRun: v.optional(v.boolean(), false),
  cursor: v.optional(textCursorField),
});

export const eventReplayRoutes: readonly Route[] = [
  route({
    id: "replayEvents",
    verb: "POST",
    path: "/api/events/replay",
    summary:
      "Replays a page of the events of a name that were received in a time, of the newest 1,000 events, the oldest first. With `dryRun` it only says what would start.",
    scope: "operate",
    headers: ACT_HEADERS,
    body,
    answers: { 202: "EventsReplayed" },
    refusals: ["events_not_configured", "dispatcher_unreachable", "newer_format"],
    handle: replayEvents,
  }),
];

async function replayEvents(call: CheckedCall<string, unknown, v.InferOutput<typeof body>>): Promise<Response> {
  const { name, from, until = Number.MAX_SAFE_INTEGER, cursor, dryRun, ...how } = call.body;
  const range: EventRangeCommand = {
    type: "range",
    name,
    from,
    until,
    after: cursor,
    count: HOST_LIMITS.eventPage,
  };
  const answer = await commandEvents(call, EVENT_LIST, range);
  if (!answer.ok) return answer;
  const { ids, next, places = [] } = (await answer.json()) as EventIds;
  const brief = dryRun ? "dry" : "done";
  const events: ReplayedEvent[] = [];
  // One after the other: a key gets its events in the order in which they were accepted.
  for (const [nth, id] of ids.entries()) {
    // After a failure the answer says what was started, and its cursor continues with the event that failed.
    const place = places[nth - 1];
    const replaying = replayOne(call, id, { type: "replay", ...how, by: call.principal.subject, brief });
    const replayed = await (place === undefined ? replaying : replaying.catch(() => Response.error()));
    if (replayed instanceof Response) return place === undefined ? replayed : pageOf(events, place);
    if (replayed !== undefined) events.push(replayed);
  }
  return pageOf(events, next);
}

function pageOf(events: readonly ReplayedEvent[], next: string | undefined): Response {
  const nextCursor = next === undefined ? null : toBase64Url(next);
  return Response.json({ events, nextCursor } satisfies EventsReplayed, { status: 202 });
}

/** `undefined`: the event is not known any more. */
async function replayOne(call: Call, id: string, command: EventRequest): Promise<ReplayedEvent | Response | undefined> {
  const key = command.type === "replay" && command.brief === "dry" ? undefined : requestKeyOf(call);
  const answer = await commandEvents(call, { kind: "event", name: id }, command, key);
  if (answer.status === 404) return undefined;
  return answer.ok ? ((await answer.json()) as ReplayedEvent) : answer;
}
