/**
 * Waits of a run for events of topics (EVT5, EVT6, EVT7), and the events that cancel it.
 *
 * Owns: the subscriptions and cursors in the header. Which topics the run is subscribed to follows from its state at the end
 * of each transition, so it is decided in one place, and in the commit of the change.
 *
 * Invariants
 * - RT1 A run is subscribed to a topic, or its message about that is in the outbox, exactly while it goes forward, is not
 *   paused, and has an open wait for the topic or can be cancelled by it.
 * - RT2 The cursor of a topic only grows. An event at or below it changes nothing, so each event is seen once (EVT6).
 * - RT3 A subscription has a number that the run never used for the topic: a late message about an earlier one is recognised.
 */
import { HOST_LIMITS, defined, isTerminal } from "@holdfast/protocol";
import {
  type Subscribe,
  type SubscriberMessage,
  type TopicDelivery,
  topicAddress,
  topicParts,
} from "../topic/messages.ts";
import { cancel } from "./cancel.ts";
import type { Draft } from "./draft/draft.ts";
import { isWanted } from "./draft/inbox.ts";
import type { Reply } from "./draft/inputs.ts";
import { wake } from "./lifecycle.ts";
import { post } from "./draft/outbox.ts";
import { endReleased, markFeature } from "./releases.ts";
import type { OpenWait, RunHeader, RunTopic } from "./state/run-header.ts";
import { TOPICS, encodedError } from "./send-event.ts";
import { resolveWait } from "./waits.ts";

export const NOT_WAITING: Reply = { type: "subscriber", answer: { type: "not_waiting" } };

/** Handles a message of a topic. The answer is decided by the rows after it. */
export function topicMessage(draft: Draft, input: SubscriberMessage): Reply {
  const { header } = draft;
  const known = header.topics?.find(({ name }) => name === input.topic);
  const isMine = (header.incarnation ?? "") === input.run.incarnation && known?.seq === input.run.seq;
  if (known?.open !== true || !isMine || isIdle(header)) return NOT_WAITING;
  if (input.type === "topicEvent") takeEvent(draft, input, known);
  if (input.type === "topicGone") historyGone(draft, input.topic, input.at);
  // After a gap, the waits that need nothing of it subscribe again: the stored subscription would only report it again.
  else if (wantedTopics(draft).has(input.topic)) return waitingReply(draft, input.topic);
  // The answer ends the subscription.
  changeTopic(draft, input.topic, { open: undefined, full: undefined });
  return NOT_WAITING;
}

function waitingReply({ header }: Draft, topic: string): Reply {
  const cursor = header.topics?.find(({ name }) => name === topic)?.cursor;
  return { type: "subscriber", answer: { type: "waiting", cursor } };
}

function takeEvent(draft: Draft, { topic, n, event, later }: TopicDelivery, known: RunTopic): void {
  if (n <= (known.cursor ?? 0)) return;
  changeTopic(draft, topic, { cursor: n });
  if (draft.header.cancelOn?.includes(topic) === true) {
    cancel(draft, { type: "cancel", reason: `the event ${event.name} ${event.id} was sent` });
    return;
  }
  const wait = draft.header.waits.find((open) => isFor(open, topic, event, later));
  if (wait === undefined) return;
  const { name, key } = topicParts(topic);
  resolveWait(draft, wait, event.data, { deliveryId: `${name}/${key}#${n}` });
}

/** The clock of the run may still be ahead of the topic's, which was set back. A date in the future stays (EVT5). */
function isFor(
  { topic, ...wait }: OpenWait,
  name: string,
  { receivedAt, data }: TopicDelivery["event"],
  later: number = receivedAt,
): boolean {
  if (topic?.name !== name) return false;
  const at = topic.since <= wait.openedAt ? Math.max(receivedAt, later) : receivedAt;
  return at >= topic.since && isWanted(wait, data);
}

/** Lets the waits of a topic go that need events which are no longer stored (EVT5). */
function historyGone(draft: Draft, topic: string, at: number): void {
  const lost = draft.header.waits.filter((wait) => wait.topic?.name === topic && (gapSinceOf(wait) ?? Infinity) <= at);
  if (lost.length === 0) return;
  const { name, key } = topicParts(topic);
  const text = `ctx.waitForEvent: events ${JSON.stringify(name)} with the key ${JSON.stringify(key)} are no longer stored, and the run has not seen them. Set a longer keep on the event, a later since, or allowGap: true.`;
  const value = encodedError("EVENT_HISTORY_GONE", text);
  draft.change({ waits: draft.header.waits.filter((wait) => !lost.includes(wait)) });
  for (const wait of lost) endReleased(draft, wait, { value });
  wake(draft);
}

/** Handles the answer of a topic to a subscription. Returns whether the message stays in the outbox, to be sent again. */
export function subscribed(draft: Draft, topic: string, { run }: Subscribe, answer: unknown): boolean {
  const known = draft.header.topics?.find(({ name }) => name === topic);
  if (known?.open !== true || known.seq !== run.seq) return false;
  const type = typeOf(answer);
  if (type === "full") {
    if (known.full !== true) changeTopic(draft, topic, { full: true });
    return true;
  }
  if (known.full === true) changeTopic(draft, topic, { full: undefined });
  if (type !== "history_gone") return false;
  changeTopic(draft, topic, { open: undefined });
  if (!isIdle(draft.header)) historyGone(draft, topic, atOf(answer));
  return false;
}

function typeOf(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "type" in answer ? answer.type : undefined;
}

function atOf(answer: unknown): number {
  const at = typeof answer === "object" && answer !== null && "at" in answer ? answer.at : undefined;
  return typeof at === "number" ? at : Number.MAX_SAFE_INTEGER;
}

/** Posts the messages by which the subscriptions follow the state of the run (RT1). */
export function syncTopics(draft: Draft): void {
  const header = draft.headerIfAny;
  if (header === undefined || header === draft.state.header) return;
  const { topics = [], cancelOn, waits } = header;
  if (topics.length === 0 && cancelOn === undefined && waits === draft.state.header?.waits) return;
  const wanted = wantedTopics(draft);
  for (const topic of topics) if (topic.open === true && !wanted.has(topic.name)) unsubscribe(draft, topic);
  for (const [name, claim] of wanted) {
    const known = draft.header.topics?.find((topic) => topic.name === name);
    if (known?.open !== true || isWider(claim, known)) subscribe(draft, name, claim, known);
  }
}

/** What the run wants of a topic: events since a time, or the newest ones. */
interface Claim {
  readonly since: number;
  readonly last?: number | undefined;
  /** No event since this time may be missing. Absent: events may. */
  readonly gapSince?: number | undefined;
}

/** Whether a wait opened that needs events which the subscription does not include. Earlier code did not store the claim. */
function isWider({ since, last, gapSince }: Claim, { claim, cursor }: RunTopic): boolean {
  if (claim === undefined) return false;
  const needsMore = cursor === undefined && claim.last !== undefined && (last ?? Infinity) > claim.last;
  return needsMore || since < claim.since || (gapSince ?? Infinity) < (claim.gapSince ?? Infinity);
}

/** Whether the run takes no events: it has ended, unwinds, or is paused. The topic stores them meanwhile. */
function isIdle({ status, unwinding }: RunHeader): boolean {
  return isTerminal(status) || status === "paused" || unwinding !== undefined;
}

function wantedTopics({ header, now }: Draft): ReadonlyMap<string, Claim> {
  const wanted = new Map<string, Claim>();
  if (isIdle(header)) return wanted;
  for (const name of header.cancelOn ?? []) wanted.set(name, { since: Math.min(header.createdAt, now) });
  for (const wait of header.waits) {
    const { topic } = wait;
    if (topic === undefined) continue;
    const { name, since, last } = topic;
    const claim: Claim = defined({ since, last, gapSince: gapSinceOf(wait) });
    const other = wanted.get(name);
    wanted.set(name, other === undefined ? claim : union(claim, other));
  }
  return wanted;
}

/** Since when no event of a wait may be missing. The newest events are those that the topic still has. */
function gapSinceOf({ topic, openedAt }: OpenWait): number | undefined {
  if (topic === undefined || topic.allowGap === true) return undefined;
  return topic.last === undefined ? topic.since : openedAt;
}

function union(a: Claim, b: Claim): Claim {
  const gapSince = Math.min(a.gapSince ?? Infinity, b.gapSince ?? Infinity);
  return defined({
    since: Math.min(a.since, b.since),
    last: a.last === undefined || b.last === undefined ? undefined : Math.max(a.last, b.last),
    gapSince: gapSince === Infinity ? undefined : gapSince,
  });
}

function subscribe(draft: Draft, name: string, claim: Claim, known: RunTopic | undefined): void {
  const { since, last, gapSince } = claim;
  const { id: runId, incarnation = "" } = draft.header;
  const { seq: before = 0, cursor } = known ?? {};
  const seq = before + 1;
  const topic: RunTopic = { name, seq, open: true, claim, ...(cursor === undefined ? {} : { cursor }) };
  draft.change({ topics: bounded([...(draft.header.topics ?? []).filter((one) => one !== known), topic]) });
  markFeature(draft, TOPICS);
  post(draft, topicAddress(name), {
    type: "subscribe",
    run: { runId, incarnation, seq },
    since,
    ...(cursor === undefined ? {} : { cursor }),
    ...(last === undefined ? {} : { last }),
    ...(gapSince === undefined ? { allowGap: true } : {}),
    ...(gapSince === undefined || gapSince === since ? {} : { gapSince }),
  });
}

/** Topics for which the run does not wait are forgotten, the oldest first, with what it has seen of them. */
function bounded(topics: readonly RunTopic[]): readonly RunTopic[] {
  let excess = topics.length - HOST_LIMITS.runTopics;
  if (excess <= 0) return topics;
  return topics.filter(({ open }) => open === true || excess-- <= 0);
}

/**
 * Lets a run that comes from a back-up subscribe again: its topics may have forgotten it, or have delivered events that it
 * has forgotten (DUR14). The numbers jump: those after the back-up are not known (RT3).
 */
export function subscribeAgain(draft: Draft): void {
  const { topics = [] } = draft.header;
  if (topics.length === 0) return;
  draft.change({
    topics: topics.map(({ name, seq, cursor }) => defined({ name, seq: Math.max(seq, draft.now), cursor })),
  });
}

function unsubscribe(draft: Draft, { name, seq }: RunTopic): void {
  const { id: runId, incarnation = "" } = draft.header;
  changeTopic(draft, name, { open: undefined, full: undefined });
  post(draft, topicAddress(name), { type: "unsubscribe", run: { runId, incarnation, seq } });
}

function changeTopic(
  draft: Draft,
  name: string,
  patch: { readonly open?: undefined; readonly full?: true | undefined; readonly cursor?: number },
): void {
  const topics = draft.header.topics?.map((topic) => (topic.name === name ? defined({ ...topic, ...patch }) : topic));
  draft.change({ topics });
}
