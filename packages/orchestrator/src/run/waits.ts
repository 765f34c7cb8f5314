/**
 * Waits: how they open, and how they end.
 *
 * Owns: WAIT1 (a wait is journaled when it opens), WAIT4 (time-outs, in the order of their time), WAIT7 (a token is
 * answered once).
 */
import {
  type ChildOutcome,
  ENCODED_UNDEFINED,
  type OperationEvents,
  type OperationId,
  type OperationKind,
  type WaitpointKind,
  assert,
  defined,
  isTerminal,
  parseOperationId,
  profileOf,
} from "@holdfast/protocol";
import { topicName } from "../topic/messages.ts";
import { readOpened } from "./asks.ts";
import { stopAtLimit } from "./cancel.ts";
import type { Draft } from "./draft/draft.ts";
import { bufferRow, findBuffered, takeBuffered } from "./draft/inbox.ts";
import { wake } from "./lifecycle.ts";
import { appendOutcome, endReleased } from "./releases.ts";
import type { InboxRow } from "./state/rows.ts";
import { type OpenWait, kindOf } from "./state/run-header.ts";
import { refusedEvent, sendEvent } from "./send-event.ts";
import { closeToken, issueToken } from "./draft/tokens.ts";

/** The names, in the API and in the stored header, of the kinds of operations that wait. */
const WAITPOINT_KINDS: Readonly<Partial<Record<OperationKind, WaitpointKind>>> = {
  sleep: "DATETIME",
  event: "EVENT",
  signal: "SIGNAL",
  token: "MANUAL",
  run: "RUN",
};

/** Makes a wait that opens now. */
export function newWait(
  op: OperationId,
  nth: number,
  openedAt: number,
  more: Pick<OpenWait, "wakeAt" | "afterMs" | "tokenId" | "ask" | "match" | "runId" | "topic">,
): OpenWait {
  const { kind, name } = parseOperationId(op);
  const waitpoint = WAITPOINT_KINDS[kind];
  assert(waitpoint !== undefined, `operations of kind ${kind} do not wait`);
  return { op, nth, kind: waitpoint, name, openedAt, ...more };
}

const LET_GO =
  "Let waits go that the run no longer needs: ctx.race({ … }) closes its losers, and a wait with the option signal ends when the signal aborts. Promise.race closes nothing. Otherwise split the work over several runs.";

/** Opens a wait. `taken`: the keys of buffered deliveries that this report has consumed before (WAIT2). */
export function openWait(draft: Draft, event: OperationEvents & { type: "wait.opened" }, taken: Set<string>): void {
  const { op, nth, afterMs, tokenId, match, send } = event;
  if (send !== undefined) return sendEvent(draft, event, send);
  if (draft.header.waits.some((open) => open.op === op)) return;
  if (draft.header.waits.length >= draft.context.limits.openWaits) {
    return stopAtLimit(draft, `The run has ${draft.context.limits.openWaits} open waits`, LET_GO);
  }
  const wakeAt = event.wakeAt ?? (afterMs === undefined ? undefined : draft.now + afterMs);
  const timing = { ...(wakeAt === undefined ? {} : { wakeAt }), ...(tokenId === undefined ? {} : { tokenId }) };
  const { refused, ...asking } = readOpened(draft, event.ask);
  draft.append({ type: "wait.opened", op, ...timing, ...asking }, nth);
  const matching = match === undefined ? {} : { match };
  const relative = afterMs === undefined ? {} : { afterMs };
  const topic = topicOf(draft, event);
  const wait = newWait(op, nth, draft.at, { ...timing, ...relative, ...matching, ...asking, ...topic });
  if (tokenId !== undefined) issueToken(draft, tokenId, op, event.public === true);
  const value = event.topic && refusedEvent(draft, "ctx.waitForEvent", event.topic.key);
  const release = refused ?? draft.releases.get(op) ?? (value === undefined ? undefined : { value });
  if (release !== undefined) return endReleased(draft, wait, release);
  const buffered = takeBuffered(draft, wait, taken);
  if (buffered === undefined) draft.change({ waits: [...draft.header.waits, wait] });
  else journalResult(draft, wait, buffered.payload, buffered);
}

/** The events of a topic for which a wait opens (EVT5). `run/topics.ts` subscribes to them. */
function topicOf(draft: Draft, { op, topic }: OperationEvents & { type: "wait.opened" }): Pick<OpenWait, "topic"> {
  if (topic === undefined) return {};
  const { key, since = Math.min(draft.header.createdAt, draft.now), last, allowGap } = topic;
  return {
    topic: defined({
      name: topicName(parseOperationId(op).name, key),
      since: since === "now" ? draft.now : since,
      last,
      allowGap,
    }),
  };
}

/** Where a delivery comes from: its id, and of an answer to a token the caller. */
type Delivered = Pick<InboxRow, "deliveryId" | "by">;

/** Ends an open wait with the payload of its delivery. */
export function resolveWait(draft: Draft, wait: OpenWait, payload: string, delivered: Delivered): void {
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  journalResult(draft, wait, payload, delivered);
  wake(draft);
}

function journalResult(draft: Draft, wait: OpenWait, value: string, { deliveryId, by }: Delivered): void {
  if (kindOf(wait) === "run") return endChild(draft, wait.op, wait.nth, JSON.parse(value));
  const delivered = deliveryId === undefined ? {} : { deliveryId };
  const answered = by === undefined ? {} : { answeredBy: by };
  if (wait.tokenId !== undefined) closeToken(draft, wait.tokenId, "resolved", by);
  appendOutcome(draft, { type: "wait.resolved", op: wait.op, value, ...delivered, ...answered }, wait.nth, true);
}

/** Ends the wait for a child. While the run is paused, the end of the child is buffered like a delivery (CAN6). */
export function endWaitForChild(draft: Draft, wait: OpenWait, outcome: ChildOutcome): void {
  const payload = JSON.stringify(outcome);
  if (draft.header.status !== "paused") return resolveWait(draft, wait, payload, {});
  const { op: name } = wait;
  if (findBuffered(draft, "child", name) === undefined) bufferRow(draft, { kind: "child", name, payload });
}

/** Journals that a child run ended, or could not be started. */
export function endChild(draft: Draft, op: OperationId, nth: number, outcome: ChildOutcome): void {
  appendOutcome(draft, { type: "child.ended", op, outcome }, nth, true);
}

/** Ends the waits that are due by `until`, in the order of their time (WAIT4). */
export function settleDueWaits(draft: Draft, until: number = draft.now): void {
  const { waits } = draft.header;
  const due = waits
    .flatMap((wait) =>
      wait.wakeAt === undefined || wait.wakeAt > Math.min(until, draft.now) ? [] : [{ wait, at: wait.wakeAt }],
    )
    .toSorted((a, b) => a.at - b.at)
    .map(({ wait }) => wait);
  if (due.length === 0) return;
  draft.change({ waits: waits.filter((wait) => !due.includes(wait)) });
  for (const wait of due) {
    // An earlier one of them may have won a race that this one lost.
    const release = draft.releases.get(wait.op);
    if (release === undefined) endWait(draft, wait);
    else endReleased(draft, wait, release);
  }
  wake(draft);
}

/**
 * Ends the waits of this report that were due when they opened: no alarm is needed for a sleep of no time (WAIT1). A
 * buffered delivery has ended its wait already (WAIT2).
 */
export function endWaitsThatOpenedDue(draft: Draft): void {
  const { status, flags = [] } = draft.header;
  if (isTerminal(status) || status === "paused" || draft.starts) return;
  if (profileOf(flags)?.dueWaitsEndAtOnce === true) settleDueWaits(draft);
}

function endWait(draft: Draft, wait: OpenWait): void {
  if (kindOf(wait) === "sleep") {
    appendOutcome(draft, { type: "wait.resolved", op: wait.op, value: ENCODED_UNDEFINED }, wait.nth, true);
    return;
  }
  if (wait.tokenId !== undefined) closeToken(draft, wait.tokenId, "timed_out");
  appendOutcome(draft, { type: "wait.timed_out", op: wait.op }, wait.nth, true);
}
