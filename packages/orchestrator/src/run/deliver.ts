/**
 * Deliveries from outside: events, signals, tokens, and the ends of children.
 *
 * Owns: ASK4 (answers that do not fit), WAIT2 and WAIT10 (the oldest wait gets the oldest delivery), WAIT3 (delivery ids), WAIT7 (a token is resolved
 * once), WAIT8 and WAIT12 (runs that have ended or unwind reject deliveries).
 */
import { type AnswerIssue, ENCODED_UNDEFINED, FORMAT_VERSION, assert, isTerminal } from "@holdfast/protocol";
import { issuesOfAnswer, markAnswered } from "./asks.ts";
import { settleStart } from "./children.ts";
import type { Draft } from "./draft/draft.ts";
import {
  type Buffered,
  buffer,
  bufferRow,
  findBuffered,
  isFor,
  readBuffered,
  refuseBuffering,
  refuseFull,
  removeBuffered,
} from "./draft/inbox.ts";
import type { Input, Refusal, Reply } from "./draft/inputs.ts";
import {
  DELIVERED_PREFIX,
  type DeliveredRow,
  type DeliveryKind,
  TOKEN_PREFIX,
  type TokenRow,
  readRow,
} from "./state/rows.ts";
import { type OpenWait, kindOf } from "./state/run-header.ts";
import { endWaitForChild, resolveWait, settleDueWaits } from "./waits.ts";

/** Accepts an event or a signal: resolves the oldest wait for it, or buffers it. */
export function deliver(draft: Draft, input: Input & { type: "deliver" }): Reply {
  const { deliveryId, kind, name, payload } = input;
  if (deliveryId !== undefined && readRow(draft.state.store, DELIVERED_PREFIX, deliveryId) !== undefined) {
    return { type: "delivered", delivery: "duplicate" };
  }
  const closed = refuseClosed(draft, `${kind} ${JSON.stringify(name)}`);
  if (closed !== undefined) return closed;
  if (deliveryId !== undefined && draft.header.deliveryIds >= draft.context.limits.deliveryIds) {
    return refuseFull(
      `The run stores ${draft.context.limits.deliveryIds} delivery ids, which is the limit. Deliver without an id, or to another run.`,
    );
  }
  const wait = findWait(draft, input);
  const refusal = wait === undefined ? buffer(draft, { kind, name, payload, deliveryId }) : undefined;
  if (refusal !== undefined) return refusal;
  if (deliveryId !== undefined) {
    draft.put(DELIVERED_PREFIX + deliveryId, { v: FORMAT_VERSION } satisfies DeliveredRow);
    draft.change({ deliveryIds: draft.header.deliveryIds + 1 });
  }
  if (wait === undefined) return { type: "delivered", delivery: "buffered" };
  resolveWait(draft, wait, payload, deliveryId === undefined ? {} : { deliveryId });
  return { type: "delivered", delivery: "resolved" };
}

/** Resolves the wait for a child that ended. */
export function childEnded(draft: Draft, input: Input & { type: "childEnded" }): Reply {
  const { op, outcome } = input;
  settleStart(draft, input);
  // No wait: the run has ended or unwinds, or the message is about a child of an earlier run with this id.
  const wait = draft.header.waits.find((open) => open.op === op && open.runId === outcome.runId);
  if (wait === undefined) return { type: "done" };
  endWaitForChild(draft, wait, outcome);
  return { type: "done" };
}

/** Resolves open waits with the deliveries that were buffered during a pause, in the order of their arrival (CAN6). */
export function deliverBuffered(draft: Draft): void {
  for (const key of draft.state.inbox.keys()) {
    const row = readBuffered(draft, key);
    settleDueWaits(draft, row.at);
    const wait = findWait(draft, row);
    if (wait === undefined) continue;
    removeBuffered(draft, key, row.payload.length);
    resolveWait(draft, wait, row.payload, row);
  }
}

/** The oldest open wait for a delivery; `undefined` while the run is paused. */
function findWait(draft: Draft, delivery: Buffered): OpenWait | undefined {
  const { status, waits } = draft.header;
  return status === "paused" ? undefined : waits.find((wait) => isFor(wait, delivery));
}

/** Returns the refusal that each delivery of this kind would get now (ACT1). */
export function refuseEachDelivery(draft: Draft, kind: DeliveryKind): Refusal | undefined {
  const { status, waits } = draft.header;
  const closed = refuseClosed(draft, `${kind}s`);
  const resolves = status !== "paused" && waits.some((wait) => kindOf(wait) === kind);
  return closed ?? (resolves ? undefined : refuseBuffering(draft, ENCODED_UNDEFINED.length));
}

/** Accepts the answer to a token. An answer that does not fit the ask changes nothing: the ask stays open (ASK4). */
export function resolveToken(draft: Draft, input: Input & { type: "resolveToken" }): Reply {
  const { tokenId, payload, by } = input;
  const refusal = refuseAnswer(draft, input);
  if (refusal !== undefined) return refusal;
  const wait = waitFor(draft, tokenId);
  assert(wait !== undefined, "an open token of a run that goes forward has a wait");
  const issues = wait.ask === undefined ? [] : issuesOfAnswer(wait.ask, payload);
  if (issues.length > 0) return invalidAnswer(issues);
  const from = by === undefined ? {} : { by };
  if (draft.header.status === "paused") {
    bufferRow(draft, { kind: "token", name: tokenId, payload, ...from });
    if (wait.ask !== undefined) markAnswered(draft, wait.op, by);
    return { type: "delivered", delivery: "buffered" };
  }
  resolveWait(draft, wait, payload, from);
  return { type: "delivered", delivery: "resolved" };
}

function waitFor({ header }: Draft, tokenId: string): OpenWait | undefined {
  return header.waits.find((open) => open.tokenId === tokenId);
}

/** Returns the refusal that an answer to a token would get now. */
export function refuseAnswer(
  draft: Draft,
  { tokenId, publicly }: Pick<Input & { type: "resolveToken" }, "tokenId" | "publicly">,
): Refusal | undefined {
  const stored = readRow(draft.state.store, TOKEN_PREFIX, tokenId);
  const isOpen = stored?.public === true && draft.header.incarnation === publicly?.incarnation;
  if (stored === undefined || (publicly !== undefined && !isOpen)) {
    return { type: "refused", code: "token_not_found", message: "This run never issued that token." };
  }
  const wait = waitFor(draft, tokenId);
  return refuseAnswered(draft, tokenId, wait) ?? refuseClosed(draft, "an answer to this token");
}

function refuseAnswered(draft: Draft, tokenId: string, wait: OpenWait | undefined): Refusal | undefined {
  // A time-out that is due has closed the token in this transition.
  const token = draft.read(TOKEN_PREFIX, tokenId);
  // A time-out that is due is journaled after the pause, before any answer (CAN6).
  const timedOut = wait?.wakeAt !== undefined && wait.wakeAt <= draft.now;
  const buffered = findBuffered(draft, "token", tokenId);
  if (!timedOut && token.state === "open" && buffered === undefined) return undefined;
  const message = `The token cannot be resolved again: ${HOW_CLOSED[timedOut ? "timed_out" : token.state]}.`;
  const by = token.by ?? buffered?.by;
  return {
    type: "refused",
    code: "already_resolved",
    message,
    ...(by === undefined || timedOut ? {} : { details: { by } }),
  };
}

function invalidAnswer(issues: readonly AnswerIssue[]): Reply {
  const [first] = issues;
  const where = first?.path === "" ? "the answer" : first?.path;
  return {
    type: "refused",
    code: "invalid_answer",
    message: `The answer does not fit what is asked: ${where}: ${first?.message}. Nothing was changed. Answer again.`,
    details: { issues },
  };
}

const HOW_CLOSED: Readonly<Record<TokenRow["state"], string>> = {
  open: "it was resolved",
  resolved: "it was resolved",
  timed_out: "it timed out",
  released: "the run let it go, because it lost a race, its signal aborted, or its ask was refused",
};

/** Refuses a delivery to a run of which no wait can open any more: it has ended, or it unwinds (WAIT8, WAIT12). */
export function refuseClosed({ header }: Draft, what: string): Refusal | undefined {
  const { id, status, unwinding } = header;
  const run = `Run ${JSON.stringify(id)}`;
  if (isTerminal(status)) {
    const message = `${run} has ended (${status}); it no longer accepts ${what}.`;
    return { type: "refused", code: "run_terminal", message };
  }
  if (unwinding === undefined) return undefined;
  const message = `${run} compensates its steps and then ends; it no longer waits for ${what}.`;
  return { type: "refused", code: "run_unwinding", message };
}
