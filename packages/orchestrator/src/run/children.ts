/**
 * Child runs and the messages between runs.
 *
 * Owns: CHILD1 (a child is started exactly once, under an id that parent and operation determine, or its idempotency key),
 * CHILD4 (a message is a row until it is acknowledged, and takes effect once).
 */
import {
  type ErrorValue,
  type OperationEvents,
  type OperationId,
  errorValue,
  readAddress,
  traceparentOf,
} from "@holdfast/protocol";
import type { Subscribe } from "../topic/messages.ts";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { holdsForChild } from "./holds.ts";
import { acquireAnswered } from "./admission.ts";
import { idFromKey } from "./state/key-id.ts";
import { ACKNOWLEDGED_STARTS, isAcknowledgedStart, keepStart } from "./acknowledged-starts.ts";
import type { OutboxMessage } from "./state/messages.ts";
import { acknowledged, post, remove } from "./draft/outbox.ts";
import { OUTBOX_PREFIX, isRow, outboxKey } from "./state/rows.ts";
import { kindOf } from "./state/run-header.ts";
import { childRunId, tracedOf } from "./state/run-key.ts";
import { endReleased, markFeature } from "./releases.ts";
import { subscribed } from "./topics.ts";
import { endChild, endWaitForChild, newWait } from "./waits.ts";

/** Starts a child that the function requests. */
export function startChild(draft: Draft, event: OperationEvents & { type: "child.started" }): void {
  const { op, nth, detached } = event;
  const { header } = draft;
  const key = event.idempotencyKey;
  const runId = key === undefined ? childRunId(header, op) : idFromKey(key);
  const release = draft.releases.get(op);
  if (release !== undefined) return endReleased(draft, newWait(op, nth, draft.at, {}), release);
  const problem = problemOf(draft, detached, runId);
  if (problem !== undefined) return endChild(draft, op, nth, { status: "failed", runId, error: problem });
  draft.append({ type: "child.started", op, runId, ...(detached ? { detached: true as const } : {}) }, nth, detached);
  if (!detached) draft.change({ waits: [...header.waits, newWait(op, nth, draft.at, { runId })] });
  post(
    draft,
    { kind: "run", name: runId },
    {
      type: "trigger",
      op,
      trigger: {
        runId,
        tenantId: header.tenantId,
        workflowId: event.workflowId,
        workflowVersion: event.workflowVersion,
        input: event.input,
        tags: event.tags,
        environment: header.environment,
        tenantMeta: header.tenantMeta,
        triggeredBy: "parent",
        idempotencyKey: key,
        baseUrl: header.baseUrl,
        traceparent: traceparentOf(tracedOf(header), op),
        parent: { runId: header.id, op, detached, start: header.outbox.next, createdAt: header.createdAt },
        // A detached child outlives the holds of its parent.
        ...(detached ? {} : holdsForChild(header)),
      },
    },
  );
}

/** Why this run cannot start a child; `undefined` if it can. */
function problemOf(draft: Draft, detached: boolean, runId: string): ErrorValue | undefined {
  if (runId === draft.header.id) {
    return errorValue(
      "IDEMPOTENCY_CONFLICT",
      "The idempotency key stands for this run itself, which would wait for its own end. Choose another key for the child.",
    );
  }
  if (!draft.context.canSend) {
    return errorValue(
      "CHILDREN_NOT_CONFIGURED",
      "The host of this run cannot send messages to other runs, so ctx.invoke cannot start a child. Pass runDO beside storage and dispatcher in the Durable Object.",
    );
  }
  if (draft.header.outbox.count >= draft.context.limits.outboxMessages) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run has ${draft.context.limits.outboxMessages} pending messages to other runs, which is the limit.`,
    );
  }
  if (!detached && hasOpenChildren(draft, draft.context.limits.openChildren)) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run waits for ${draft.context.limits.openChildren} children, which is the limit.`,
    );
  }
  return undefined;
}

function hasOpenChildren({ header: { waits } }: Draft, max: number): boolean {
  // Counted only if there may be as many: each child of a fan-out asks.
  return waits.length >= max && waits.filter((wait) => kindOf(wait) === "run").length >= max;
}

/**
 * Removes the start of a child that has ended, if its acknowledgement was lost: sent again, it would create the child
 * again after the child is deleted (CHILD1).
 */
export function settleStart(draft: Draft, { op, outcome, start }: Input & { type: "childEnded" }): void {
  if (start === undefined || draft.header.outbox.count === 0) return;
  const key = outboxKey(start);
  if (isAcknowledgedStart(draft.state.header, key)) return;
  const row = draft.state.store.get(key);
  if (!isRow(OUTBOX_PREFIX, key, row) || row.message.type !== "trigger") return;
  if (row.message.op === op && row.message.trigger.runId === outcome.runId) remove(draft, key);
}

/** Handles the result of sending: removes a settled message, and ends the wait for a child that was rejected. */
export function messageSent(draft: Draft, input: Input & { type: "sent" }): Reply {
  const { key, result } = input;
  const row = draft.state.store.get(key);
  if (!isRow(OUTBOX_PREFIX, key, row)) return { type: "done" };
  // The back-off of the outbox sends an undelivered message again.
  if (result.type === "unreachable") return { type: "done" };
  // A late answer to a start that was sent twice.
  if (isAcknowledgedStart(draft.state.header, key)) return { type: "done" };
  if (isSubscribe(row.message) && result.type === "acknowledged") {
    const stays = subscribed(draft, readAddress(row.to).name, row.message, result.answer);
    if (!stays) remove(draft, key);
    return { type: "done" };
  }
  if (result.type === "acknowledged" && keepStart(draft, key, row.message)) {
    markFeature(draft, ACKNOWLEDGED_STARTS);
    acknowledged(draft);
  } else {
    remove(draft, key);
  }
  if (result.type === "refused" && row.message.type === "trigger") refuseChild(draft, row.message.op, result.error);
  if (result.type === "acknowledged" && row.message.type === "acquire")
    acquireAnswered(draft, row.message, result.answer);
  return { type: "done" };
}

function isSubscribe(message: OutboxMessage): message is Subscribe {
  return message.type === "subscribe";
}

function refuseChild(draft: Draft, op: OperationId, error: ErrorValue): void {
  const wait = draft.header.waits.find((open) => open.op === op);
  if (wait?.runId === undefined) return;
  endWaitForChild(draft, wait, { status: "failed", runId: wait.runId, error });
}
