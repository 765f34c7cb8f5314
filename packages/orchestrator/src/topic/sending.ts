/**
 * Which subscriber of a topic gets which event next (EVT8, EVT10).
 *
 * Owns: the messages in flight. A subscriber that has no more events to get is passed over.
 *
 * The subscribers are scanned in the order of their keys, from the position in the header. A scan that ends begins again if
 * an event or a subscriber came meanwhile. So each answer costs the same, however many subscribers there are.
 */
import { HOST_LIMITS, defined } from "@holdfast/protocol";
import { resendDelayMs } from "../host/outbox.ts";
import type { SendResult } from "../host/outbox-sender.ts";
import type { SubscriberAnswer, SubscriberMessage } from "./messages.ts";
import {
  EVENT_PREFIX,
  SUBSCRIBER_PREFIX,
  type SubscriberRow,
  eventKey,
  isEventRow,
  isSubscriberRow,
  subscriberKey,
} from "./rows.ts";
import { goneSince, removeSubscriber, subscriberOf } from "./subscribers.ts";
import type { TopicDraft } from "./topic-state.ts";

/** Begins a scan, or lets the one in progress be followed by another. */
export function scanAgain(draft: TopicDraft): void {
  const { scan, subscribers } = draft.header;
  if (subscribers === 0) return;
  draft.change(scan === undefined ? { scan: "" } : { scansAgain: true });
}

/** Sends to the next subscribers, while there is room (EVT10). */
export function sendNext(draft: TopicDraft): void {
  while (draft.header.scan !== undefined && draft.header.sending.length < HOST_LIMITS.topicDeliveries) scanStep(draft);
  settleRetry(draft);
}

/** Passes over subscribers, up to the next one that gets a message. */
function scanStep(draft: TopicDraft): void {
  const { scan = "", scansAgain, sending } = draft.header;
  for (const [key, row] of draft.list(SUBSCRIBER_PREFIX, { after: scan })) {
    if (!isSubscriberRow(row) || sending.includes(key) || !sendTo(draft, row)) continue;
    return draft.change({ scan: key, sending: [...sending, key] });
  }
  draft.change({ scan: scansAgain === true ? "" : undefined, scansAgain: undefined });
}

/** Sends the next event to a subscriber. `false`: it has none to get. */
function sendTo(draft: TopicDraft, row: SubscriberRow): boolean {
  const message = messageFor(draft, row);
  if (message !== undefined) draft.ask({ kind: "run", name: row.run.runId }, message);
  return message !== undefined;
}

function messageFor(draft: TopicDraft, row: SubscriberRow): SubscriberMessage | undefined {
  const { header } = draft;
  const { cursor, run, since } = row;
  if (cursor >= header.last) return undefined;
  const topic = header.self.name;
  const gone = goneSince(row, header.dropped);
  if (gone !== undefined) return { type: "topicGone", topic, run, at: gone };
  const after = Math.max(cursor, (header.oldest?.n ?? header.last + 1) - 1);
  for (const [, stored] of draft.list(EVENT_PREFIX, { after: eventKey(after) })) {
    if (!isEventRow(stored) || stored.event === undefined || stored.event.receivedAt < since) continue;
    const { n: before = Infinity, from: later } = header.setBack ?? {};
    return defined({
      type: "topicEvent",
      topic,
      run,
      n: stored.n,
      event: stored.event,
      later: stored.n > before ? later : undefined,
    });
  }
  return undefined;
}

/** Handles the answer of a subscriber. It gets its next event at once. */
export function answered(draft: TopicDraft, message: SubscriberMessage, result: SendResult): void {
  const key = subscriberKey(message.run);
  const row = subscriberOf(draft, key);
  // An answer to a message of an earlier subscription.
  if (row === undefined || row.run.seq !== message.run.seq) return;
  const answer = result.type === "acknowledged" ? readAnswer(result.answer) : undefined;
  if (answer === undefined) undelivered(draft, key);
  else if (answer.type === "not_waiting") removeSubscriber(draft, key);
  else takeAnswer(draft, key, row, answer.cursor ?? 0, message);
  sendNext(draft);
}

function takeAnswer(
  draft: TopicDraft,
  key: string,
  row: SubscriberRow,
  seen: number,
  message: SubscriberMessage,
): void {
  const n = message.type === "topicEvent" ? message.n : 0;
  const next: SubscriberRow = { ...row, cursor: Math.max(row.cursor, seen, n), at: draft.now };
  draft.put(key, next);
  const sending = draft.header.sending.filter((one) => one !== key);
  if (sending.length < draft.header.sending.length && sendTo(draft, next)) sending.push(key);
  draft.change({ sending, failures: 0 });
}

/** A subscriber that cannot be reached makes room for others. It is scanned again after the back-off. */
function undelivered(draft: TopicDraft, key: string): void {
  const { sending } = draft.header;
  if (sending.includes(key)) draft.change({ sending: sending.filter((one) => one !== key), missed: true });
}

/** Sends again what was not answered in time. */
export function retry(draft: TopicDraft): void {
  const { retryAt, failures } = draft.header;
  if (retryAt === undefined || retryAt > draft.now) return;
  draft.change({
    sending: [],
    scan: "",
    scansAgain: undefined,
    missed: undefined,
    retryAt: undefined,
    failures: failures + 1,
  });
}

function settleRetry(draft: TopicDraft): void {
  const { sending, scan, missed, retryAt, failures } = draft.header;
  const isBusy = sending.length > 0 || scan !== undefined || missed === true;
  if (isBusy && retryAt === undefined) draft.change({ retryAt: draft.now + resendDelayMs(failures) });
  else if (!isBusy && retryAt !== undefined) draft.change({ retryAt: undefined, failures: 0 });
}

/** Asks the subscribers that have given no sign for long whether they still wait (EVT7). */
export function probe(draft: TopicDraft): void {
  const { probeAt, subscribers, self } = draft.header;
  if (probeAt === undefined || probeAt > draft.now) return;
  let asked = 0;
  for (const [, row] of draft.list(SUBSCRIBER_PREFIX)) {
    if (!isSubscriberRow(row) || row.at + HOST_LIMITS.topicProbeMs > draft.now) continue;
    draft.ask({ kind: "run", name: row.run.runId }, { type: "probeTopic", topic: self.name, run: row.run });
    asked += 1;
    if (asked === PROBES) break;
  }
  const next = asked === PROBES ? PROBE_AGAIN_MS : HOST_LIMITS.topicProbeMs / 7;
  draft.change({ probeAt: subscribers === 0 ? undefined : draft.now + next });
}

/** How many subscribers are asked at once, and after which time the next ones, ms. */
const PROBES = 200;
const PROBE_AGAIN_MS = 60_000;

function readAnswer(answer: unknown): SubscriberAnswer | undefined {
  if (typeof answer !== "object" || answer === null || !("type" in answer)) return undefined;
  if (answer.type === "not_waiting") return { type: "not_waiting" };
  if (answer.type !== "waiting") return undefined;
  return {
    type: "waiting",
    cursor: "cursor" in answer && typeof answer.cursor === "number" ? answer.cursor : undefined,
  };
}
