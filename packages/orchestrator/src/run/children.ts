/**
 * Child runs and the messages between runs.
 *
 * Owns: CHILD1 (a child is started exactly once, under an id that is fixed by parent and operation), CHILD4 (a message
 * is a row until it is acknowledged, and counts once however often it is sent).
 */
import {
  type ErrorValue,
  LIMITS,
  type OperationEvents,
  type OperationId,
  errorValue,
  hashText,
  parseOperationId,
  traceparentOf,
} from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { wake } from "./lifecycle.ts";
import { post, remove } from "./outbox.ts";
import { OUTBOX_PREFIX, isRow } from "./rows.ts";
import { kindOf } from "./run-header.ts";
import { endChild, newWait } from "./waits.ts";

/** The function requests a child. */
export function startChild(draft: Draft, event: OperationEvents & { type: "child.started" }): void {
  const { op, nth, detached } = event;
  const { header } = draft;
  const runId = childRunId(header.id, header.seed, op);
  const problem = problemOf(draft, detached);
  if (problem !== undefined) return endChild(draft, op, nth, { status: "failed", runId, error: problem });
  draft.append({ type: "child.started", op, runId, ...(detached ? { detached: true as const } : {}) }, nth, detached);
  if (!detached) draft.change({ waits: [...header.waits, newWait(op, nth, draft.now, { runId })] });
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
        idempotencyKey: event.idempotencyKey,
        baseUrl: header.baseUrl,
        traceparent: traceparentOf(header, op),
        parent: { runId: header.id, op, detached },
      },
    },
  );
}

/** Why a child cannot be started at all. */
function problemOf(draft: Draft, detached: boolean): ErrorValue | undefined {
  if (!draft.context.canSend) {
    return errorValue(
      "CHILDREN_NOT_CONFIGURED",
      "This deployment does not tell runs where other runs live, so ctx.invoke cannot start one. Pass runDO beside storage and dispatcher in the Durable Object.",
    );
  }
  if (draft.header.outbox.count >= draft.context.limits.outboxMessages) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run has ${draft.context.limits.outboxMessages} unacknowledged messages to other runs, which is the limit.`,
    );
  }
  const children = draft.header.waits.filter((wait) => kindOf(wait) === "run").length;
  if (!detached && children >= draft.context.limits.openChildren) {
    return errorValue(
      "LIMIT_EXCEEDED",
      `The run waits for ${draft.context.limits.openChildren} children already, which is the limit.`,
    );
  }
  return undefined;
}

/** The result of sending: acknowledged messages leave the outbox, a child that was refused has ended. */
export function messageSent(draft: Draft, input: Input & { type: "sent" }): Reply {
  const { key, result } = input;
  const row = draft.state.store.get(key);
  if (!isRow(OUTBOX_PREFIX, key, row)) return { type: "done" };
  // A message that was not delivered is sent again when it is due.
  if (result.type === "unreachable") return { type: "done" };
  remove(draft, key);
  if (result.type === "refused" && row.message.type === "trigger") refuseChild(draft, row.message.op, result.error);
  return { type: "done" };
}

function refuseChild(draft: Draft, op: OperationId, error: ErrorValue): void {
  const wait = draft.header.waits.find((open) => open.op === op);
  if (wait?.runId === undefined) return;
  draft.change({ waits: draft.header.waits.filter((open) => open !== wait) });
  endChild(draft, op, wait.nth, { status: "failed", runId: wait.runId, error });
  if (draft.header.status !== "paused") wake(draft);
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
