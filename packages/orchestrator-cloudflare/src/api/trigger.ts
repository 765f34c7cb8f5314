/**
 * `POST /api/runs`: triggers a run (RUN2, RUN3).
 *
 * Owns: the attributes of a triggered run, and the choice of the object that gets the trigger.
 */
import { type ChildTrigger, idFromKey } from "@holdfast/orchestrator";
import { parseTraceparent } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { encodeGiven } from "../request-body.ts";
import type { KeyHolder } from "../run-object/commands.ts";
import { durationField, idField, nameField, objectField, payloadField, tagsField } from "./fields.ts";
import { readIdempotencyKey, reserveKey } from "./idempotency-key.ts";
import { WAIT_HEADER, preferredWaitMs } from "./prefer-wait.ts";
import { provenanceOf } from "./provenance.ts";
import { type CheckedCall, type Route, route } from "./route.ts";
import { askRun } from "./run-objects.ts";

const triggerBody = v.strictObject({
  workflowId: nameField,
  workflowVersion: v.optional(nameField),
  input: payloadField,
  tenantMeta: v.optional(objectField),
  runId: v.optional(idField),
  idempotencyKey: v.optional(idField),
  tags: v.optional(tagsField, []),
  delay: v.optional(durationField),
  timeout: v.optional(durationField),
  environment: v.optional(nameField),
});

type TriggerCall = CheckedCall<string, unknown, v.InferOutput<typeof triggerBody>>;

export const triggerRoutes: readonly Route[] = [
  route({
    id: "triggerRun",
    verb: "POST",
    path: "/api/runs",
    summary:
      "Triggers a run. The same id or idempotency key with the same workflow and input returns the existing run.",
    scope: "trigger",
    headers: {
      ...WAIT_HEADER,
      "Idempotency-Key": "The same as the field `idempotencyKey`.",
      traceparent: "W3C Trace Context, stored with the run.",
    },
    body: triggerBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "newer_format", "workflow_not_found"],
    handle: triggerRun,
  }),
];

async function triggerRun(call: TriggerCall): Promise<Response> {
  // Check the whole trigger before the key is reserved: a rejected trigger must not reserve a key.
  const trigger = describeTrigger(call);
  const { idempotencyKey } = trigger;
  const keyId = idempotencyKey === undefined ? undefined : idFromKey(idempotencyKey);
  const runId = call.body.runId ?? keyId ?? ulid();
  if (keyId === undefined) return askToTrigger(call, { ...trigger, runId });
  if (keyId === runId) return triggerByKey(call, { ...trigger, runId });
  const reservedNow = await reserveKey(call, keyId, runId);
  const answer = await askToTrigger(call, { ...trigger, runId });
  if (reservedNow && !answer.ok) await askRun(call, keyId, { ask: "releaseKey", runId });
  return answer;
}

/** Returns the trigger without the id of the run. */
function describeTrigger(call: TriggerCall): Omit<ChildTrigger, "runId"> {
  const { request, body } = call;
  return {
    ...provenanceOf(call, body),
    workflowId: body.workflowId,
    workflowVersion: body.workflowVersion,
    tags: body.tags,
    idempotencyKey: readIdempotencyKey(request, body.idempotencyKey),
    traceparent: traceparentOf(request),
    timeoutMs: body.timeout,
    delayMs: body.delay,
    input: encodeGiven(body.input, "input"),
  };
}

/** Triggers the run in the object with the key's id. If the key belongs to a run with another id, triggers that run. */
async function triggerByKey(call: TriggerCall, trigger: ChildTrigger): Promise<Response> {
  const answer = await askToTrigger(call, trigger, true);
  if (answer.status !== 200) return answer;
  const { keyStandsFor } = (await answer.clone().json()) as Partial<KeyHolder>;
  return keyStandsFor === undefined ? answer : askToTrigger(call, { ...trigger, runId: keyStandsFor });
}

function askToTrigger(call: TriggerCall, trigger: ChildTrigger, byKey = false): Promise<Response> {
  const waitMs = preferredWaitMs(call.request, call.deps);
  return askRun(call, trigger.runId, { ask: "trigger", waitMs, trigger, byKey });
}

/** Returns the request's `traceparent`. An invalid one is ignored (W3C Trace Context). */
function traceparentOf(request: Request): string | undefined {
  const header = request.headers.get("traceparent");
  return header !== null && parseTraceparent(header) !== undefined ? header : undefined;
}
