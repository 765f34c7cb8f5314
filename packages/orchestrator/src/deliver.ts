/**
 * Deliveries from outside: events, signals, tokens, and the ends of children.
 *
 * Owns: WAIT2 and WAIT10 (first come, first served, in both directions), WAIT3 (delivery ids), WAIT7 (a token is
 * resolved once), WAIT6 (patterns), WAIT8 (runs that take no deliveries), WAIT9 (the bound on what is kept).
 */
import {
  type ChildOutcome,
  FORMAT_VERSION,
  LIMITS,
  type WaitpointKind,
  decodeValue,
  isTerminal,
  matchesPattern,
} from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import type { OpenWait } from "./run-header.ts";
import type { InboxRow, KeptKind, TokenRow } from "./run-state.ts";
import { deliveryKey, inboxKey, tokenKey } from "./store.ts";
import { settleDueWaits } from "./timers.ts";

const WAITPOINT_OF = { event: "EVENT", signal: "SIGNAL", token: "MANUAL", child: "RUN" } as const satisfies Record<
  KeptKind,
  WaitpointKind
>;

/** Takes an event or a signal: the oldest wait for it gets it, or it is kept. */
export function deliver(draft: Draft, input: Input & { type: "deliver" }): Reply {
  const { deliveryId, kind, name, payload } = input;
  if (deliveryId !== undefined && draft.state.store.get(deliveryKey(deliveryId)) !== undefined) {
    return { type: "delivered", delivery: "duplicate" };
  }
  if (isTerminal(draft.header.status)) return terminalRefusal(draft, `${kind} ${JSON.stringify(name)}`);
  if (deliveryId !== undefined && draft.header.deliveryIds >= LIMITS.deliveryIds) {
    return refuseFull(`it remembers ${LIMITS.deliveryIds} delivery ids already`);
  }
  const wait = findWait(draft, kind, name, payload);
  const refusal = wait === undefined ? keep(draft, { kind, name, payload, deliveryId }) : undefined;
  if (refusal !== undefined) return refusal;
  if (deliveryId !== undefined) {
    draft.put(deliveryKey(deliveryId), { v: FORMAT_VERSION });
    draft.change({ deliveryIds: draft.header.deliveryIds + 1 });
  }
  if (wait === undefined) return { type: "delivered", delivery: "buffered" };
  resolve(draft, wait, payload, deliveryId);
  return { type: "delivered", delivery: "resolved" };
}

/** A child ended. While the run is paused that is kept like a delivery (CAN6). */
export function childEnded(draft: Draft, input: Input & { type: "childEnded" }): Reply {
  if (isTerminal(draft.header.status)) return { type: "done" };
  const payload = JSON.stringify(input.outcome);
  if (draft.header.status === "paused") {
    if (!isKept(draft, "child", input.op)) keepRow(draft, { kind: "child", name: input.op, payload });
    return { type: "done" };
  }
  const wait = draft.header.waits.find((open) => open.op === input.op);
  if (wait !== undefined) resolve(draft, wait, payload, undefined);
  return { type: "done" };
}

/** The run is no longer paused: what was kept meets the waits that are open, in the order of its time (CAN6). */
export function deliverKept(draft: Draft): void {
  for (const [key] of draft.state.inbox) {
    const row = draft.state.store.get(key) as InboxRow;
    settleDueWaits(draft, row.at);
    const wait = findWait(draft, row.kind, row.name, row.payload);
    if (wait === undefined) continue;
    forgetKept(draft, key, row.payload.length);
    resolve(draft, wait, row.payload, row.deliveryId);
  }
}

/** The oldest open wait that a delivery is for; none while the run is paused. */
function findWait(draft: Draft, kind: KeptKind, name: string, payload: string): OpenWait | undefined {
  const { status, waits } = draft.header;
  if (status === "paused") return undefined;
  return waits.find((wait) => isFor(wait, kind, name, payload));
}

function isFor(wait: OpenWait, kind: KeptKind, name: string, payload: string): boolean {
  if (WAITPOINT_OF[kind] !== wait.kind) return false;
  if (kind === "token") return wait.tokenId === name;
  if (kind === "child") return wait.op === name;
  if (wait.name !== name) return false;
  return wait.match === undefined || matchesPattern(decodeValue(wait.match), decodeValue(payload));
}

/** Takes the answer to a token. */
export function resolveToken(draft: Draft, input: Input & { type: "resolveToken" }): Reply {
  const token = draft.state.store.get(tokenKey(input.tokenId)) as TokenRow | undefined;
  if (token === undefined || (input.publicly === true && token.public !== true)) {
    return { type: "refused", code: "token_not_found", message: "This run never issued that token." };
  }
  const wait = draft.header.waits.find((open) => open.tokenId === input.tokenId);
  const answered = token.state !== "open" || isKept(draft, "token", input.tokenId);
  if (isTerminal(draft.header.status) && !answered) return terminalRefusal(draft, "token");
  if (wait === undefined || answered) {
    const how = token.state === "timed_out" ? "it timed out" : "it was resolved";
    return { type: "refused", code: "already_resolved", message: `The token cannot be resolved again: ${how}.` };
  }
  if (draft.header.status === "paused") {
    keepRow(draft, { kind: "token", name: input.tokenId, payload: input.payload });
    return { type: "delivered", delivery: "buffered" };
  }
  resolve(draft, wait, input.payload, undefined);
  return { type: "delivered", delivery: "resolved" };
}

/** A wait was opened: the oldest kept delivery for it, if any, is taken at once (WAIT2). */
export function takeKept(draft: Draft, wait: OpenWait, taken: Set<string>): boolean {
  if (draft.header.status === "paused") return false;
  for (const [key, kept] of draft.state.inbox) {
    if (taken.has(key) || WAITPOINT_OF[kept.kind] !== wait.kind || kept.name !== wait.name) continue;
    const row = draft.state.store.get(key) as InboxRow;
    if (!isFor(wait, row.kind, row.name, row.payload)) continue;
    taken.add(key);
    forgetKept(draft, key, kept.chars);
    settle(draft, wait, row.payload, row.deliveryId);
    return true;
  }
  return false;
}

interface Kept {
  readonly kind: KeptKind;
  readonly name: string;
  readonly payload: string;
  readonly deliveryId?: string | undefined;
}

function keep(draft: Draft, kept: Kept): Reply | undefined {
  const { inbox } = draft.header;
  if (inbox.count >= LIMITS.inboxDeliveries) return refuseFull(`it keeps ${LIMITS.inboxDeliveries} deliveries already`);
  if (inbox.chars + kept.payload.length > LIMITS.inboxChars) {
    return refuseFull(`what it keeps would exceed ${LIMITS.inboxChars} characters`);
  }
  keepRow(draft, kept);
  return undefined;
}

/** Answers to tokens and ends of children are not counted against the limit: there is one at most for each wait. */
function keepRow(draft: Draft, { deliveryId, ...kept }: Kept): void {
  const { inbox } = draft.header;
  const row: InboxRow = {
    v: FORMAT_VERSION,
    ...kept,
    ...(deliveryId === undefined ? {} : { deliveryId }),
    at: draft.now,
  };
  draft.put(inboxKey(inbox.next), row);
  const chars = inbox.chars + kept.payload.length;
  draft.change({ inbox: { count: inbox.count + 1, chars, next: inbox.next + 1 } });
}

function forgetKept(draft: Draft, key: string, chars: number): void {
  const { inbox } = draft.header;
  draft.delete(key);
  draft.change({ inbox: { ...inbox, count: inbox.count - 1, chars: inbox.chars - chars } });
}

function isKept(draft: Draft, kind: KeptKind, name: string): boolean {
  for (const kept of draft.state.inbox.values()) if (kept.kind === kind && kept.name === name) return true;
  return false;
}

function resolve(draft: Draft, wait: OpenWait, payload: string, deliveryId: string | undefined): void {
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  settle(draft, wait, payload, deliveryId);
  draft.wake();
}

function settle(draft: Draft, wait: OpenWait, value: string, deliveryId: string | undefined): void {
  if (wait.kind === "RUN") {
    draft.append({ type: "child.ended", op: wait.op, outcome: JSON.parse(value) as ChildOutcome }, wait.nth, true);
    return;
  }
  const delivered = deliveryId === undefined ? {} : { deliveryId };
  draft.append({ type: "wait.resolved", op: wait.op, value, ...delivered }, wait.nth, true);
  if (wait.tokenId === undefined) return;
  draft.closeToken(wait.tokenId, "resolved");
}

function terminalRefusal(draft: Draft, what: string): Reply {
  const { id, status } = draft.header;
  return {
    type: "refused",
    code: "run_terminal",
    message: `Run ${JSON.stringify(id)} has ended (${status}); it takes no ${what} any more.`,
  };
}

function refuseFull(why: string): Reply {
  return {
    type: "refused",
    code: "inbox_full",
    message: `The run takes no more deliveries that nothing waits for: ${why}. Deliver again when it has caught up.`,
  };
}
