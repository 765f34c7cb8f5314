/**
 * Child runs and the messages between runs.
 *
 * Owns: CHILD1 (a child is started exactly once, under an id that is fixed by parent and operation), CHILD4 (a message
 * is a row until it is acknowledged, and counts once however often it is sent).
 */
import {
  type ChildOutcome,
  type ErrorValue,
  LIMITS,
  type OperationEvents,
  type OperationId,
  errorValue,
  parseOperationId,
  traceparentOf,
} from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import type { OpenWait } from "./run-header.ts";
import type { OutboxRow } from "./run-state.ts";
import { hashText } from "./text-hash.ts";

/** The function asks for a child. */
export function startChild(draft: Draft, event: OperationEvents & { type: "child.started" }): void {
  const { op, nth, detached } = event;
  const { header } = draft;
  const runId = childRunId(header.id, header.seed, op);
  const problem = problemOf(draft, detached);
  if (problem !== undefined) return endChild(draft, op, nth, { status: "failed", runId, error: problem });
  draft.append({ type: "child.started", op, runId, ...(detached ? { detached: true as const } : {}) }, nth, detached);
  const { name } = parseOperationId(op);
  const wait: OpenWait = { op, nth, kind: "RUN", name, openedAt: draft.now, runId };
  if (!detached) draft.change({ waits: [...header.waits, wait] });
  draft.post(runId, {
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
      idempotencyKey: event.idempotencyKey,
      baseUrl: header.baseUrl,
      traceparent: traceparentOf(header, op),
      parent: { runId: header.id, op, detached },
    },
  });
}

/** Why a child cannot be started at all. */
function problemOf(draft: Draft, detached: boolean): ErrorValue | undefined {
  if (!draft.canSend) {
    return errorValue(
      "CHILDREN_NOT_CONFIGURED",
      "This deployment does not tell runs where other runs live, so ctx.invoke cannot start one. Pass runDO beside storage and dispatcher in the Durable Object.",
    );
  }
  if (draft.header.outbox.count >= LIMITS.outboxMessages) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run owes ${LIMITS.outboxMessages} messages to other runs already, which is the limit.`,
    );
  }
  const children = draft.header.waits.filter((wait) => wait.kind === "RUN").length;
  if (!detached && children >= LIMITS.openChildren) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run waits for ${LIMITS.openChildren} children already, which is the limit.`,
    );
  }
  return undefined;
}

/** What became of a message: acknowledged ones leave the outbox, a child that was refused has ended. */
export function messageSent(draft: Draft, input: Input & { type: "sent" }): Reply {
  const { key, result } = input;
  const row = draft.state.store.get(key) as OutboxRow | undefined;
  if (row === undefined) return { type: "done" };
  const { outbox } = draft.header;
  if (result.type === "unreachable") {
    const failures = outbox.failures + 1;
    draft.change({
      outbox: { ...outbox, failures, retryAt: draft.now + Math.min(1_000 * 2 ** Math.min(failures, 6), 60_000) },
    });
    return { type: "done" };
  }
  draft.delete(key);
  const { retryAt, ...rest } = outbox;
  const count = outbox.count - 1;
  draft.change({
    outbox: { ...rest, count, failures: 0, ...(count === 0 || retryAt === undefined ? {} : { retryAt }) },
  });
  if (count > 0) draft.sendOutbox();
  if (result.type === "refused" && row.message.type === "trigger") refuseChild(draft, row.message.op, result.error);
  return { type: "done" };
}

function refuseChild(draft: Draft, op: OperationId, error: ErrorValue): void {
  const wait = draft.header.waits.find((open) => open.op === op);
  if (wait?.runId === undefined) return;
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  endChild(draft, op, wait.nth, { status: "failed", runId: wait.runId, error });
  if (draft.header.status !== "paused") draft.wake();
}

function endChild(draft: Draft, op: OperationId, nth: number, outcome: ChildOutcome): void {
  draft.append({ type: "child.ended", op, outcome }, nth, true);
}

/** Readable while it is short; always unique to parent and operation, and not to be guessed without the run's seed. */
function childRunId(parentId: string, seed: string, op: OperationId): string {
  const { occurrence, name } = parseOperationId(op);
  const secret = [1, 2, 3].map((salt) => hashText(`${salt}${seed}${op}`).toString(36)).join("");
  const readable = `${parentId}.${name}.${occurrence}-${secret}`;
  return readable.length <= LIMITS.nameBytes && isPlain(readable) ? readable : `child.${hashText(parentId)}-${secret}`;
}

function isPlain(text: string): boolean {
  return /^[\w.-]*$/.test(text);
}
