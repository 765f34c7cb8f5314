/**
 * Deliveries from outside: events, signals, tokens.
 *
 * Owns: WAIT2 and WAIT10 (first come, first served, in both directions), WAIT3 (delivery ids), WAIT7 (a token is
 * resolved once), WAIT8 (runs that take no deliveries), WAIT9 (the bound on what is kept).
 */
import { FORMAT_VERSION, LIMITS } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { type OpenWait, type WaitpointKind, isTerminal } from "./run-header.ts";
import type { DeliveryKind, InboxRow, TokenRow } from "./run-state.ts";
import { deliveryKey, inboxKey, tokenKey } from "./store.ts";

const WAITPOINT_OF = { event: "EVENT", signal: "SIGNAL" } as const satisfies Record<DeliveryKind, WaitpointKind>;

/** Takes an event or a signal: the oldest wait for it gets it, or it is kept. */
export function deliver(draft: Draft, input: Input & { type: "deliver" }): Reply {
  const { deliveryId } = input;
  if (deliveryId !== undefined && draft.state.store.get(deliveryKey(deliveryId)) !== undefined) {
    return { type: "delivered", delivery: "duplicate" };
  }
  if (isTerminal(draft.header.status)) return terminalRefusal(draft, `${input.kind} ${JSON.stringify(input.name)}`);
  if (deliveryId !== undefined && draft.header.deliveryIds >= LIMITS.deliveryIds) {
    return refuseFull(`it remembers ${LIMITS.deliveryIds} delivery ids already`);
  }
  const kind = WAITPOINT_OF[input.kind];
  const wait = draft.header.waits.find((open) => open.kind === kind && open.name === input.name);
  const refusal = wait === undefined ? keep(draft, input) : undefined;
  if (refusal !== undefined) return refusal;
  if (deliveryId !== undefined) {
    draft.put(deliveryKey(deliveryId), { v: FORMAT_VERSION });
    draft.change({ deliveryIds: draft.header.deliveryIds + 1 });
  }
  if (wait === undefined) return { type: "delivered", delivery: "buffered" };
  resolve(draft, wait, input.payload, deliveryId);
  return { type: "delivered", delivery: "resolved" };
}

/** Takes the answer to a token. */
export function resolveToken(draft: Draft, input: Input & { type: "resolveToken" }): Reply {
  const token = draft.state.store.get(tokenKey(input.tokenId)) as TokenRow | undefined;
  if (token === undefined) {
    return { type: "refused", code: "token_not_found", message: "This run never issued that token." };
  }
  if (isTerminal(draft.header.status)) return terminalRefusal(draft, "token");
  const wait = draft.header.waits.find((open) => open.tokenId === input.tokenId);
  if (wait === undefined) {
    const how = token.state === "timed_out" ? "it timed out" : "it was resolved";
    return { type: "refused", code: "already_resolved", message: `The token cannot be resolved again: ${how}.` };
  }
  resolve(draft, wait, input.payload, undefined);
  return { type: "delivered", delivery: "resolved" };
}

/** A wait was opened: the oldest kept delivery for it, if any, is taken at once (WAIT2). */
export function takeKept(draft: Draft, wait: OpenWait, taken: Set<string>): boolean {
  for (const [key, kept] of draft.state.inbox) {
    if (taken.has(key) || WAITPOINT_OF[kept.kind] !== wait.kind || kept.name !== wait.name) continue;
    const row = draft.state.store.get(key) as InboxRow;
    const { inbox } = draft.header;
    taken.add(key);
    draft.delete(key);
    draft.change({ inbox: { ...inbox, count: inbox.count - 1, chars: inbox.chars - kept.chars } });
    settle(draft, wait, row.payload, row.deliveryId);
    return true;
  }
  return false;
}

function keep(draft: Draft, input: Input & { type: "deliver" }): Reply | undefined {
  const { inbox } = draft.header;
  const { kind, name, payload, deliveryId } = input;
  if (inbox.count >= LIMITS.inboxDeliveries) return refuseFull(`it keeps ${LIMITS.inboxDeliveries} deliveries already`);
  if (inbox.chars + payload.length > LIMITS.inboxChars) {
    return refuseFull(`what it keeps would exceed ${LIMITS.inboxChars} characters`);
  }
  const row: InboxRow = {
    v: FORMAT_VERSION,
    kind,
    name,
    payload,
    ...(deliveryId === undefined ? {} : { deliveryId }),
    at: draft.now,
  };
  draft.put(inboxKey(inbox.next), row);
  draft.change({ inbox: { count: inbox.count + 1, chars: inbox.chars + payload.length, next: inbox.next + 1 } });
  return undefined;
}

function resolve(draft: Draft, wait: OpenWait, payload: string, deliveryId: string | undefined): void {
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  settle(draft, wait, payload, deliveryId);
  if (draft.header.status !== "paused") draft.wake();
}

function settle(draft: Draft, wait: OpenWait, value: string, deliveryId: string | undefined): void {
  draft.append(
    { type: "wait.resolved", op: wait.op, value, ...(deliveryId === undefined ? {} : { deliveryId }) },
    wait.nth,
  );
  if (wait.tokenId === undefined) return;
  const token: TokenRow = { v: FORMAT_VERSION, op: wait.op, state: "resolved" };
  draft.put(tokenKey(wait.tokenId), token);
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
