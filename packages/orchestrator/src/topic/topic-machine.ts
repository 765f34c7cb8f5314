/**
 * A topic: the object of one event name and key (EVT4–EVT8, EVT10). Pure.
 *
 * Owns: the table of its inputs. `archive.ts` has its events, `subscribers.ts` the runs that wait, `sending.ts` what they get.
 *
 * A subscriber is a row with a cursor, so an event is stored once however many wait, and what a subscriber has still to get
 * follows from its cursor. A message to a subscriber is a question that is not stored: the key of the subscriber is in the
 * header until it is answered, and the message is sent again if it is not.
 *
 * Invariants
 * - TP1 An event has one number, by its id (EVT4). Numbers grow, also after the topic was erased and is used again.
 * - TP2 A subscriber gets the events after its cursor in the order of their numbers, one message at a time (EVT8).
 * - TP3 While a subscriber has events to get, `retryAt` is set (DUR5).
 */
import { HOST_LIMITS, type TopicRecord, type TopicSubscriber } from "@holdfast/protocol";
import type { CommandReply, CoordinatorMachine } from "../host/coordinator.ts";
import { append, trim } from "./archive.ts";
import { type SubscriberMessage, type TopicMessage, topicParts } from "./messages.ts";
import {
  EVENT_PREFIX,
  SUBSCRIBER_PREFIX,
  type TopicHeader,
  isEventRow,
  isSubscriberRow,
  subscriberKey,
} from "./rows.ts";
import { answered, probe, retry, scanAgain, sendNext } from "./sending.ts";
import { clockBack, removeSubscriber, subscribe, subscriberOf } from "./subscribers.ts";
import { type TopicDraft, type TopicState, applyToTopic, loadTopic } from "./topic-state.ts";

export const topicMachine: CoordinatorMachine<TopicState> = {
  kind: "topic",
  load: loadTopic,
  first: (common) => ({
    ...common,
    last: 0,
    keepMs: HOST_LIMITS.topicKeepMs,
    events: 0,
    chars: 0,
    ids: 0,
    subscribers: 0,
    sending: [],
    failures: 0,
    usedAt: 0,
  }),
  applied: applyToTopic,
  nextAlarm,
  message: (draft, message: TopicMessage) => ({ type: "acknowledged", answer: receive(draft, message) }),
  command: (draft) => describeTopic(draft),
  answered: (draft, message: SubscriberMessage, result) => answered(draft, message, result),
  alarm,
  clockBack,
};

function receive(draft: TopicDraft, message: TopicMessage): object {
  switch (message.type) {
    case "append": {
      const before = draft.header.last;
      const n = append(draft, message);
      if (n > before) scanAgain(draft);
      sendNext(draft);
      return { n };
    }
    case "subscribe": {
      const answer = subscribe(draft, message);
      // A scan passes all subscribers: one that has nothing to get begins none.
      const row = subscriberOf(draft, subscriberKey(message.run));
      if (row !== undefined && row.cursor < draft.header.last) scanAgain(draft);
      sendNext(draft);
      return answer;
    }
    case "unsubscribe": {
      const key = subscriberKey(message.run);
      const row = subscriberOf(draft, key);
      if (row !== undefined && row.run.seq <= message.run.seq) removeSubscriber(draft, key);
      sendNext(draft);
      return { type: "unsubscribed" };
    }
  }
}

function alarm(draft: TopicDraft): void {
  trim(draft);
  retry(draft);
  sendNext(draft);
  probe(draft);
  const { subscribers, events, ids } = draft.header;
  if (subscribers + events + ids === 0 && idleAt(draft.header) <= draft.now) draft.erase();
}

/** When a topic that is not used is erased, ms since 1970: not before later numbers would be higher (TP1). */
function idleAt({ usedAt, last, seen = 0 }: Pick<TopicHeader, "usedAt" | "last" | "seen">): number {
  return Math.max(usedAt + HOST_LIMITS.topicIdleMs, last, seen);
}

function nextAlarm({ events, ids, subscribers, ...header }: TopicHeader): number | undefined {
  const { retryAt = Infinity, oldest, keepMs, idsUntil = Infinity, probeAt = Infinity } = header;
  const expiry = events === 0 || oldest === undefined ? Infinity : oldest.at + keepMs;
  const idle = events + ids + subscribers === 0 ? idleAt(header) : Infinity;
  return Math.min(retryAt, expiry, idsUntil, probeAt, idle);
}

function describeTopic(draft: TopicDraft): CommandReply {
  const { header, isNew } = draft;
  if (isNew)
    return {
      type: "refused",
      code: "not_found",
      message: "No event with this key was accepted, and no run waits for one.",
    };
  const { events, subscribers, dropped, keepMs, self } = header;
  const body: TopicRecord = {
    ...topicParts(self.name),
    keepMs,
    events,
    dropped: dropped?.count ?? 0,
    subscribers,
    newest: newestOf(draft),
    waiting: waitingOf(draft),
  };
  return { type: "done", body };
}

function newestOf({ state }: TopicDraft): TopicRecord["newest"] {
  const rows = [...state.store.list(EVENT_PREFIX, { reverse: true, limit: HOST_LIMITS.topicRows })];
  return rows.flatMap(([, row]) =>
    isEventRow(row) && row.event !== undefined ? [{ n: row.n, id: row.id, at: row.event.receivedAt }] : [],
  );
}

function waitingOf(draft: TopicDraft): readonly TopicSubscriber[] {
  const { last } = draft.header;
  return [...draft.list(SUBSCRIBER_PREFIX, { limit: HOST_LIMITS.topicRows })].flatMap(([, row]) =>
    isSubscriberRow(row) ? [{ runId: row.run.runId, since: row.at, pending: row.cursor < last }] : [],
  );
}
