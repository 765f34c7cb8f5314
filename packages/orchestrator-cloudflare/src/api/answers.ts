/**
 * What the API answers, as JSON Schema. A test holds every answer of the black-box suite to it.
 */
import { RUN_STATUSES } from "@holdfast/protocol";

export type JsonSchema = Readonly<Record<string, unknown>>;

const text: JsonSchema = { type: "string" };
const whole: JsonSchema = { type: "integer", minimum: 0 };
const time: JsonSchema = { type: "integer", minimum: 0, description: "Milliseconds since 1970." };
const flag: JsonSchema = { type: "boolean" };
const anything: JsonSchema = { description: "Any JSON." };
const listOf = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const oneOf = (...values: readonly string[]): JsonSchema => ({ type: "string", enum: values });
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** Fields that end in `?` may be absent; no others may be there. */
function object(fields: Readonly<Record<string, JsonSchema>>, description?: string): JsonSchema {
  const required = Object.keys(fields).filter((name) => !name.endsWith("?"));
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [name.replace(/\?$/, ""), schema]),
  );
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    properties,
    required,
    additionalProperties: false,
  };
}

const status = oneOf(...RUN_STATUSES);

const errorFields = {
  "name?": text,
  message: text,
  "code?": text,
  "data?": anything,
  "cause?": anything,
  "errors?": anything,
};
const parent = object({ runId: text, "detached?": flag });
const resumedFrom = object({ runId: text, "step?": text });

const summary = {
  id: text,
  workflowId: text,
  workflowVersion: { type: ["string", "null"] },
  status,
  phase: { ...oneOf("forward", "compensating"), description: "compensating: the run undoes what it has done." },
  "error?": ref("RunError"),
  "dispatch?": object(
    { since: time, failures: whole, "retryAt?": time, message: text },
    "While the code that executes the run cannot be reached.",
  ),
  "uncompensated?": listOf(object({ name: text, occurrence: whole, error: object(errorFields) })),
  pendingWaitpoints: listOf(ref("Waitpoint")),
  invocationCount: { ...whole, description: "Executions that were begun." },
  metadata: { type: "object" },
  tags: listOf(text),
  environment: text,
  tenantMeta: anything,
  triggeredBy: text,
  "tenantId?": text,
  "traceparent?": text,
  "parent?": parent,
  "resumedFrom?": resumedFrom,
  "resumedBy?": listOf(text),
  "idempotencyKey?": text,
  createdAt: time,
  "startAt?": time,
  "startedAt?": time,
  "endedAt?": time,
  updatedAt: time,
  "timeoutMs?": whole,
} as const;

const attempts = { "startedAt?": time, "endedAt?": time, "retryAt?": time, "error?": object(errorFields) };
const stepStatus = oneOf("running", "retrying", "completed", "failed", "skipped");

export const ANSWERS = {
  RunError: object({ "category?": oneOf("USER_ERROR", "RUNTIME_ERROR"), "step?": text, ...errorFields }),
  Waitpoint: object({
    id: text,
    kind: oneOf("DATETIME", "EVENT", "SIGNAL", "MANUAL", "RUN"),
    meta: { type: "object" },
    "wakeAt?": time,
  }),
  RunSummary: object(summary),
  Run: object({
    ...summary,
    input: anything,
    "output?": anything,
    steps: listOf(
      object({
        name: text,
        occurrence: whole,
        "status?": stepStatus,
        "attempts?": whole,
        ...attempts,
        "output?": anything,
        "compensation?": object({ status: stepStatus, attempts: whole, ...attempts }),
      }),
    ),
    streams: {
      type: "object",
      additionalProperties: object({ chunks: whole, ended: flag, generation: whole }),
    },
    "truncated?": { const: true },
  }),
  ListedRun: object({
    id: text,
    workflowId: text,
    workflowVersion: { type: ["string", "null"] },
    status,
    "error?": object({ "code?": text, message: text }),
    tags: listOf(text),
    environment: text,
    triggeredBy: text,
    "tenantId?": text,
    "parent?": object({ runId: text }),
    "resumedFrom?": object({ runId: text }),
    createdAt: time,
    "startedAt?": time,
    "endedAt?": time,
    updatedAt: time,
  }),
  RunList: object({ runs: listOf(ref("ListedRun")), nextCursor: { type: ["string", "null"] } }),
  Journal: object({
    entries: listOf({
      type: "object",
      description: "An entry of the journal: packages/protocol/PROTOCOL.md says which type has which fields.",
      properties: {
        seq: whole,
        at: time,
        type: text,
        operation: object({ kind: text, occurrence: whole, name: text }),
      },
      required: ["seq", "at", "type", "operation"],
    }),
    nextAfter: { type: ["integer", "null"] },
  }),
  Audit: object({ entries: listOf(object({ at: time, action: text, by: text, "detail?": text })) }),
  Delivered: object({ delivery: oneOf("resolved", "buffered", "duplicate"), run: ref("RunSummary") }),
  PubliclyDelivered: object({ delivery: oneOf("resolved", "buffered") }),
  Operated: object({ run: ref("RunSummary") }),
  Bulk: object({
    asked: whole,
    done: whole,
    refused: listOf(object({ id: text, error: text, message: text })),
    nextCursor: { type: ["string", "null"] },
  }),
  Rebuilt: object({ told: whole, unknown: whole }),
  Workflows: object({
    workflows: listOf(
      object({ id: text, "version?": text, "description?": text, "tags?": listOf(text), "timeoutMs?": whole }),
    ),
  }),
  Health: object({ ok: { const: true } }),
  Document: { type: "object", description: "This document." },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export type AnswerName = keyof typeof ANSWERS;
