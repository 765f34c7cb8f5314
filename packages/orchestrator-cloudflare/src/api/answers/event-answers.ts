/**
 * The answers about events as JSON Schema.
 */
import type {
  AcceptedEvent,
  EventRecord,
  EventReplay,
  EventsReplayed,
  ReplayedEvent,
  EventList,
  ListedEvent,
  TopicRecord,
  TopicSubscriber,
  EventTarget,
  MatchedTrigger,
  TestedEvent,
  UnmatchedTrigger,
} from "@holdfast/protocol";
import { type JsonSchema, anything, flag, listOf, object, oneOf, text, time, whole } from "./json-schemas.ts";

const target = object<EventTarget>({
  "trigger?": text,
  "workflowId?": text,
  "runId?": text,
  "topic?": { ...text, description: "The key whose waits get the event." },
  state: oneOf("pending", "started", "delivered", "failed"),
  "code?": text,
  "message?": text,
});

const unmatched = object<UnmatchedTrigger>({
  trigger: text,
  workflowId: text,
  reason: { ...text, description: "The condition that does not hold." },
});

const listed = object<ListedEvent>({
  id: text,
  name: text,
  "key?": text,
  "source?": text,
  receivedAt: time,
  by: { ...text, description: "Who sent it." },
  targets: listOf(target),
  unmatched: { ...whole, description: "Triggers that did not match." },
  replays: whole,
});

const topic = object<TopicRecord>({
  name: text,
  key: text,
  keepMs: { ...whole, description: "How long it stores an event, ms." },
  events: { ...whole, description: "Events that it stores." },
  dropped: { ...whole, description: "Events that it does not store any more." },
  subscribers: { ...whole, description: "Runs that wait." },
  newest: listOf(object<TopicRecord["newest"][number]>({ n: whole, id: text, at: time })),
  waiting: listOf(
    object<TopicSubscriber>({
      runId: text,
      since: { ...time, description: "When it subscribed, or last said that it waits." },
      pending: { ...flag, description: "It has events to get." },
    }),
  ),
});

export const EVENT_ANSWERS: Readonly<
  Record<"AcceptedEvent" | "EventList" | "EventRecord" | "EventsReplayed" | "TestedEvent" | "Topic", JsonSchema>
> = {
  EventList: object<EventList>({ events: listOf(listed), nextCursor: { type: ["string", "null"] } }),
  Topic: topic,
  EventsReplayed: object<EventsReplayed>({
    events: listOf(
      object<ReplayedEvent>({
        id: text,
        name: text,
        "key?": text,
        receivedAt: time,
        starts: listOf(object<ReplayedEvent["starts"][number]>({ trigger: text, workflowId: text, runId: text })),
        "topic?": { ...text, description: "The key whose waits get the event again." },
        "problem?": { ...text, description: "Why it is not replayed." },
      }),
    ),
    nextCursor: { type: ["string", "null"] },
  }),
  AcceptedEvent: object<AcceptedEvent>({
    eventId: text,
    state: oneOf("accepted", "duplicate"),
    targets: listOf(target),
  }),
  EventRecord: object<EventRecord>({
    id: text,
    name: text,
    "key?": text,
    "source?": text,
    "at?": { ...time, description: "When it happened, as its sender says. Milliseconds since 1970." },
    receivedAt: time,
    "data?": anything,
    by: { ...text, description: "Who sent it." },
    targets: listOf(target),
    unmatched: listOf(unmatched),
    replays: listOf(object<EventReplay>({ at: time, by: text, mode: oneOf("missing", "force"), targets: whole })),
  }),
  TestedEvent: object<TestedEvent>({
    "key?": text,
    matches: listOf(object<MatchedTrigger>({ trigger: text, workflowId: text, "input?": anything })),
    unmatched: listOf(unmatched),
  }),
};
