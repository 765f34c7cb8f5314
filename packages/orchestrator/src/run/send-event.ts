/**
 * Events that a run sends (EVT13), and what a run needs for that and for waits on topics.
 *
 * Owns: the message to the object of the event, in the commit of the outcome of `ctx.sendEvent`. The id of the event follows
 * from the run and the operation, so the event is accepted once, however often the message is sent.
 */
import {
  type EncodedValue,
  type ErrorCode,
  HoldfastError,
  type OperationEvents,
  type SendRequest,
  encodeValue,
  parseOperationId,
} from "@holdfast/protocol";
import { keyProblem } from "../where/paths.ts";
import type { Draft } from "./draft/draft.ts";
import { post } from "./draft/outbox.ts";
import { appendOutcome, endReleased, markFeature } from "./releases.ts";
import { childRunId } from "./state/run-key.ts";

/** The feature of rows that older versions do not know (VER4). */
export const TOPICS = "topics";

/** Sends an event. The operation ends in the same commit, with the id of the event. */
export function sendEvent(draft: Draft, event: OperationEvents & { type: "wait.opened" }, sent: SendRequest): void {
  const { op, nth } = event;
  const { header } = draft;
  markFeature(draft, TOPICS);
  const refused = refusedData(sent) ?? refusedEvent(draft, "ctx.sendEvent", sent.key) ?? fullOutbox(draft);
  if (refused !== undefined) return endReleased(draft, { op, nth }, { value: refused });
  const id = childRunId(header, op);
  const { name } = parseOperationId(op);
  const message = { id, name, data: sent.data, ...(sent.key === undefined ? {} : { key: sent.key }) };
  post(
    draft,
    { kind: "event", name: id },
    {
      type: "send",
      event: { ...message, source: `run ${header.id}` },
      by: `run ${header.id}`,
      environment: header.environment,
      baseUrl: header.baseUrl,
    },
  );
  appendOutcome(draft, { type: "wait.resolved", op, value: encodeValue({ eventId: id }, "The id") }, nth, true);
}

/** Why a run cannot use events of this key, as the encoded error with which the operation rejects; `undefined`: it can. */
export function refusedEvent({ context }: Draft, where: string, key = ""): EncodedValue | undefined {
  const problem = key === "" ? undefined : keyProblem(key);
  if (problem !== undefined) return encodedError("INVALID_ARGUMENT", `${where}: the key ${problem}.`);
  if (context.coordinates === true) return undefined;
  const text = `${where}: this deployment has no objects of events. Bind the class CoordinatorDO as COORDINATOR_DO.`;
  return encodedError("EVENTS_NOT_CONFIGURED", text);
}

function refusedData({ refused }: SendRequest): EncodedValue | undefined {
  return refused === undefined ? undefined : encodedError("INVALID_ARGUMENT", refused);
}

function fullOutbox({ header, context }: Draft): EncodedValue | undefined {
  const max = context.limits.outboxMessages;
  if (header.outbox.count < max) return undefined;
  return encodedError("LIMIT_EXCEEDED", `ctx.sendEvent: the run has ${max} pending messages, which is the limit.`);
}

export function encodedError(code: ErrorCode, text: string): EncodedValue {
  return encodeValue(new HoldfastError(code, text), "error");
}
