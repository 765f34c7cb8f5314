/**
 * Routes of events: sending, testing, reading and replaying one (EVT1, EVT11).
 *
 * Owns: the id of an event, and the checks of its fields. The object of the event decides what it does.
 */
import { type RequestKey, type StoredEvent, idFromKey } from "@holdfast/orchestrator";
import { HOST_LIMITS, type AcceptedEvent } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { HOOK_EVENT_PREFIX } from "../../auth/webhook.ts";
import type { EventRequest } from "../../coordinator/event-commands.ts";
import { ApiRefusal } from "../../refusal.ts";
import { encodeGiven } from "../../request-body.ts";
import { commandEvents } from "../call/coordinators.ts";
import { idField, isoMs, payloadField } from "../call/fields.ts";
import { ACT_HEADERS, readIdempotencyKey, requestKeyOf } from "../call/idempotency-key.ts";
import { provenanceOf } from "../call/provenance.ts";
import { type Call, type Route, route } from "../call/route.ts";
import { environmentOf } from "../call/worker-deps.ts";

/** A time in a body. The schema converts it to milliseconds since 1970. */
export const timeField = v.pipe(
  v.union([v.number(), v.string()]),
  v.description("Milliseconds since 1970, or ISO 8601."),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const at = typeof dataset.value === "number" ? dataset.value : isoMs(dataset.value);
    if (Number.isFinite(at) && Math.abs(at) <= 8_640_000_000_000_000) return at;
    addIssue({ message: 'must be milliseconds since 1970, or a time such as "2027-01-31T09:00:00Z"' });
    return NEVER;
  }),
);

const eventFields = {
  name: idField,
  data: payloadField,
  key: v.optional(idField),
  at: v.optional(timeField),
  source: v.optional(idField),
} as const;

/** An id that a caller chooses. */
const eventIdField = v.pipe(
  idField,
  v.check(
    (id) => !id.startsWith(HOOK_EVENT_PREFIX),
    `must not begin with "${HOOK_EVENT_PREFIX}": such ids belong to webhooks. Choose another id.`,
  ),
);

const sendBody = v.strictObject({ ...eventFields, id: v.optional(eventIdField) });
const testBody = v.strictObject(eventFields);
const replayBody = v.strictObject({
  mode: v.picklist(["missing", "force"]),
  triggers: v.optional(v.pipe(v.array(idField), v.maxLength(HOST_LIMITS.eventTriggers))),
  waits: v.optional(v.boolean(), false),
});

/** The name of the object that answers requests which are about no event: no event has this id. */
const NO_EVENT = "\u0000";

const COMMON = ["events_not_configured", "dispatcher_unreachable", "newer_format"] as const;

export const eventRoutes: readonly Route[] = [
  route({
    id: "sendEvent",
    verb: "POST",
    path: "/api/events",
    summary:
      "Sends an event: it starts runs by their triggers, and reaches waits for its key. The same id has no effect again.",
    scope: "deliver",
    headers: { "Idempotency-Key": "In place of the field `id`: a repeated request gets the same answer." },
    body: sendBody,
    answers: { 202: "AcceptedEvent" },
    refusals: [...COMMON, "idempotency_conflict", "invalid_event_data"],
    handle: async (call) => {
      const { id, ...fields } = call.body;
      const key = readIdempotencyKey(call.request, undefined);
      const event = storedEvent(id ?? (key === undefined ? ulid() : idFromKey(key)), fields);
      const digest = id === undefined && key !== undefined ? await digestOf(event) : undefined;
      return acceptEvent(call, event, { digest });
    },
  }),
  route({
    id: "testEvent",
    verb: "POST",
    path: "/api/events/test",
    summary: "Answers which triggers an event would match, why others do not, and the inputs. It has no effect.",
    scope: "read",
    body: testBody,
    answers: { 200: "TestedEvent" },
    refusals: [...COMMON, "invalid_event_data"],
    handle: (call) => askEvent(call, NO_EVENT, { type: "test", event: storedEvent("test", call.body) }),
  }),
  route({
    id: "readEvent",
    verb: "GET",
    path: "/api/events/:id",
    summary: "Reads an event: what it did, and why triggers did not match.",
    scope: "read",
    answers: { 200: "EventRecord" },
    refusals: [...COMMON, "not_found"],
    handle: (call) => askEvent(call, call.ids.id, { type: "read" }),
  }),
  route({
    id: "replayEvent",
    verb: "POST",
    path: "/api/events/:id/replay",
    summary: "Starts the runs of an event that are missing, or with `force` all of them again under new ids.",
    scope: "operate",
    headers: ACT_HEADERS,
    body: replayBody,
    answers: { 202: "EventRecord" },
    refusals: [...COMMON, "not_applicable", "not_found"],
    handle: async (call) => {
      const replay = { type: "replay", ...call.body, by: call.principal.subject } as const;
      return withStatus(await askEvent(call, call.ids.id, replay, requestKeyOf(call)), 202);
    },
  }),
];

/** Sends an event to its object. The answer is durable, with everything that the event does (EVT1). */
export async function acceptEvent(
  call: Call,
  event: StoredEvent,
  more: Pick<EventRequest & { type: "accept" }, "digest" | "raw">,
): Promise<Response> {
  const { tenantId, tenantMeta, baseUrl } = provenanceOf(call, {}, undefined);
  const origin = { by: call.principal.subject, tenantId, tenantMeta, baseUrl, environment: environmentOf(call.deps) };
  return withStatus(await askEvent(call, event.id, { type: "accept", event, origin, ...more }), 202);
}

/**
 * Returns an event in its stored form.
 * @throws ApiRefusal `invalid_body`
 */
export function storedEvent(
  id: string,
  { name, data, key, at, source }: Omit<StoredEvent, "id" | "data"> & { readonly data?: unknown },
): StoredEvent {
  const encoded = encodeGiven(data, "data");
  if (encoded.length > HOST_LIMITS.eventDataChars) {
    const text = `data has ${encoded.length} characters; the limit is ${HOST_LIMITS.eventDataChars}. Send a reference to it.`;
    throw new ApiRefusal("invalid_body", text);
  }
  return { id, name, data: encoded, key, at, source };
}

function askEvent(call: Call, id: string, command: EventRequest, key?: RequestKey): Promise<Response> {
  return commandEvents(call, { kind: "event", name: id }, command, key);
}

async function withStatus(answer: Response, status: number): Promise<Response> {
  return answer.ok ? Response.json((await answer.json()) as AcceptedEvent, { status }) : answer;
}

async function digestOf({ name, data, key }: StoredEvent): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([name, data, key ?? null]));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
