/**
 * The answers about events as JSON Schema.
 */
import type {
  AcceptedEvent,
  EventRecord,
  EventReplay,
  EventTarget,
  MatchedTrigger,
  TestedEvent,
  UnmatchedTrigger,
} from "@holdfast/protocol";
import { type JsonSchema, anything, listOf, object, oneOf, text, time, whole } from "./json-schemas.ts";

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

export const EVENT_ANSWERS: Readonly<Record<"AcceptedEvent" | "EventRecord" | "TestedEvent", JsonSchema>> = {
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
