/**
 * The answers of the API as JSON Schema.
 *
 * Owns: the schemas by which routes describe their answers. The compiler checks that each schema has the same fields as
 * the type of the answer. A test checks every answer of the black-box suite against the schemas.
 */
import {
  ASK_RISKS,
  type Approval,
  type AskChoice,
  type AttemptedWork,
  type AuditEntry,
  type BodyInFlight,
  type BulkAnswer,
  type CountsAnswer,
  type Delivery,
  type DeploymentInfo,
  type DispatchFailure,
  type LeftOver,
  type LeftOverDelivery,
  type ListedRun,
  type ListedWhy,
  RUN_ACTIONS,
  RUN_STATUSES,
  type RunAction,
  type RunLimit,
  type RunErrorInfo,
  type RunOverview,
  type RunRecord,
  type RunResult,
  type RunStep,
  type RunStream,
  type RunSummary,
  type ShownError,
  type StepReference,
  type StepStatus,
  type UncompensatedStep,
  type Waitpoint,
  type WaitpointKind,
  WHY_CODES,
  type WorkflowDescription,
} from "@holdfast/protocol";
import {
  type Fields,
  type JsonSchema,
  anything,
  flag,
  listOf,
  object,
  oneOf,
  open,
  ref,
  text,
  time,
  whole,
} from "./json-schemas.ts";
import { EVENT_ANSWERS } from "./event-answers.ts";
import { WHY_ENTRY } from "./why-answers.ts";
import { LIMIT_ANSWERS } from "./limit-answers.ts";
import { SCHEDULE_ANSWERS } from "./schedule-answers.ts";

export type { JsonSchema } from "./json-schemas.ts";

const FOR_OPERATORS: JsonSchema = {
  ...text,
  description: "For callers with the scope `operate`: what the other side said.",
};

/** Returns the schema of a run for callers who may not read it (SEC7). */
function visible({ properties, ...schema }: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return {
    ...schema,
    properties: { ...Object(properties), ...more },
    description: "Without the scope `read`: only `id` and `status`.",
    required: ["id", "status"],
  };
}

const status = oneOf(...RUN_STATUSES);

/** An error with the errors that caused it. */
const errorFields: Fields<ShownError> = {
  "name?": text,
  message: text,
  "code?": { type: ["string", "number"], description: "As it was thrown." },
  "data?": anything,
  "cause?": anything,
  "errors?": anything,
  "fields?": { ...open, description: "Own fields of the error that are plain data, such as `status`." },
  "stack?": {
    ...text,
    description:
      "In the record and the journal, for callers with the scope `operate`: the stack, with those of the causes.",
  },
};
const parent = object<NonNullable<RunSummary["parent"]>>({ runId: text, "detached?": flag });
const resumedFrom = object<NonNullable<RunSummary["resumedFrom"]>>({ runId: text, "step?": text });

const held = { name: text, mode: oneOf("run", "active", "step"), "enqueuedAt?": time, "position?": whole };
const summary: Fields<RunSummary> = {
  id: text,
  workflowId: text,
  workflowVersion: { type: ["string", "null"] },
  status,
  phase: {
    ...oneOf("forward", "compensating"),
    description: "compensating: the run executes the compensations of its steps.",
  },
  "error?": ref("RunError"),
  "dispatch?": object<DispatchFailure>(
    { since: time, failures: whole, "retryAt?": time, code: text, "message?": FOR_OPERATORS },
    "Present while no execution begins: the code cannot be reached, the deployment is held, or the run waits for a place.",
  ),
  "uncompensated?": listOf(
    object<UncompensatedStep>({ name: text, occurrence: whole, error: object<ShownError>(errorFields) }),
  ),
  "limits?": listOf(
    object<RunLimit>({
      ...held,
      state: oneOf("free", "wanted", "held"),
      "key?": text,
      "step?": text,
      "startAt?": time,
      "scope?": { const: "deployment" },
    }),
  ),
  "schedule?": object<NonNullable<RunSummary["schedule"]>>(
    { id: text, kind: oneOf("tick", "manual", "backfill"), nominal: time },
    "The tick of the schedule that started the run.",
  ),
  "event?": object<NonNullable<RunSummary["event"]>>(
    { id: text, name: text, trigger: text },
    "The event that started the run.",
  ),
  "cleanup?": {
    ...oneOf("not run", "timed out"),
    description: "Of a stopped run: its clean-up code did not execute, or took longer than its time-out.",
  },
  "undone?": {
    ...listOf(object<StepReference>({ name: text, occurrence: whole })),
    description: "Of a terminated run: the completed steps whose compensation has not succeeded.",
  },
  "inFlight?": {
    ...listOf(object<BodyInFlight>({ kind: oneOf("step", "compensation", "stream"), name: text, occurrence: whole })),
    description: "Of a terminated run: the bodies that executed at its end. Their effect is unknown.",
  },
  pendingWaitpoints: listOf(ref("Waitpoint")),
  invocationCount: { ...whole, description: "Number of executions so far." },
  metadata: open,
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
};

const attempts: Fields<AttemptedWork> = {
  status: oneOf(...(["running", "retrying", "completed", "failed", "skipped"] satisfies StepStatus[])),
  attempts: whole,
  "startedAt?": time,
  "endedAt?": time,
  "retryAt?": time,
  "error?": object<ShownError>(errorFields),
};

const overview: Fields<RunOverview> = {
  ...summary,
  input: anything,
  "output?": anything,
  why: { ...listOf(ref("Why")), description: "Why the run is in its state. The entry to act on first is first." },
  "actions?": {
    ...listOf(
      object<RunAction>({
        action: oneOf(...Object.keys(RUN_ACTIONS)),
        "refused?": object<NonNullable<RunAction["refused"]>>({ error: text, message: text }),
      }),
    ),
    description: "With `actions=true`: what the API would answer to each action now. Without `refused`, it accepts.",
  },
  "leftOver?": object<LeftOver>(
    {
      count: whole,
      deliveries: listOf(
        object<LeftOverDelivery>({
          kind: oneOf("event", "signal", "token"),
          name: text,
          at: time,
          "deliveryId?": text,
        }),
      ),
    },
    "Of an ended run: the deliveries that it accepted and did not consume.",
  ),
  "truncated?": { const: true },
};

const run = object<RunRecord>({
  ...overview,
  steps: listOf(
    object<RunStep>({
      name: text,
      occurrence: whole,
      ...attempts,
      "output?": anything,
      "progress?": anything,
      "compensation?": object<AttemptedWork>(attempts),
    }),
  ),
  streams: {
    type: "object",
    additionalProperties: object<RunStream>({ chunks: whole, ended: flag, generation: whole }),
  },
});

export const ANSWERS = {
  RunError: object<RunErrorInfo>({
    "category?": oneOf(...(["USER_ERROR", "RUNTIME_ERROR"] satisfies NonNullable<RunErrorInfo["category"]>[])),
    "step?": text,
    ...errorFields,
  }),
  Waitpoint: object<Waitpoint>({
    id: text,
    kind: oneOf(...(["DATETIME", "EVENT", "SIGNAL", "MANUAL", "RUN"] satisfies WaitpointKind[])),
    meta: { ...open, description: "What the wait is for. `tokenId` needs the scope `deliver`." },
    "wakeAt?": time,
  }),
  WhyCode: oneOf(...Object.keys(WHY_CODES)),
  Why: WHY_ENTRY,
  RunSummary: object<RunSummary>(summary),
  VisibleSummary: visible(object<RunSummary>(summary)),
  Run: run,
  RunOverview: object<RunOverview>(overview, "The view `summary`."),
  RunResult: object<RunResult>(
    { id: text, status, "error?": ref("RunError"), "output?": anything, "truncated?": { const: true } },
    "The view `result`.",
  ),
  VisibleRun: visible(run, {
    skipped: { const: true, description: "No run was created: this one holds a limit of the workflow." },
  }),
  ListedRun: object<ListedRun>({
    id: text,
    workflowId: text,
    workflowVersion: { type: ["string", "null"] },
    status,
    "error?": object<Pick<RunErrorInfo, "code" | "message">>({ "code?": text, message: text }),
    tags: listOf(text),
    environment: text,
    triggeredBy: text,
    "tenantId?": text,
    "parent?": object<{ runId: string }>({ runId: text }),
    "resumedFrom?": object<{ runId: string }>({ runId: text }),
    createdAt: time,
    "startedAt?": time,
    "endedAt?": time,
    updatedAt: time,
    "why?": object<ListedWhy>(
      { code: ref("WhyCode"), since: time, "until?": time, asOf: time },
      "Why the run was in its state at `asOf`.",
    ),
  }),
  RunList: object({ runs: listOf(ref("ListedRun")), nextCursor: { type: ["string", "null"] } }),
  Approval: object<Approval>({
    runId: text,
    workflowId: text,
    op: { ...text, description: "The id of the operation that waits." },
    "tokenId?": { ...text, description: "For callers with the scope `deliver`." },
    title: text,
    "details?": { ...text, description: "Markdown." },
    "schema?": { description: "JSON Schema 2020-12 of the answer." },
    "choices?": listOf(object<AskChoice>({ label: text, value: anything })),
    assignees: listOf(text),
    "risk?": oneOf(...ASK_RISKS),
    openedAt: time,
    "until?": time,
    "truncated?": { const: true, description: "Details, schema and choices are in the run's record only." },
  }),
  ApprovalList: object({ approvals: listOf(ref("Approval")), nextCursor: { type: ["string", "null"] } }),
  Journal: object({
    entries: listOf({
      ...open,
      description: "An entry of the journal. packages/protocol/PROTOCOL.md lists the fields of each type.",
      properties: {
        seq: whole,
        at: time,
        type: text,
        operation: object({ kind: text, occurrence: whole, name: text }),
      },
      required: ["seq", "at", "type", "operation"],
    }),
    nextAfter: { type: ["integer", "null"] },
    "nextBefore?": {
      type: ["integer", "null"],
      description: "With `order=desc`: `before` of the next page.",
    },
  }),
  Audit: object({
    entries: listOf(object<AuditEntry>({ at: time, action: text, by: text, "onBehalfOf?": text, "detail?": text })),
  }),
  Delivered: object({
    delivery: oneOf(...(["resolved", "buffered", "duplicate"] satisfies Delivery[])),
    run: ref("VisibleSummary"),
  }),
  PubliclyDelivered: object({ delivery: oneOf(...(["resolved", "buffered"] satisfies Delivery[])) }),
  Ticket: object({ ticket: text, expiresAt: time }),
  Operated: object({ run: ref("VisibleSummary") }),
  Counts: object<CountsAnswer>({
    workflows: listOf(
      object<CountsAnswer["workflows"][number]>({
        workflowId: text,
        runs: {
          type: "object",
          additionalProperties: whole,
          description: "By status. A status without runs is absent.",
        },
      }),
    ),
    unread: { ...whole, description: "Parts of the index that did not answer: their runs are not counted." },
  }),
  Bulk: object<BulkAnswer>({
    asked: whole,
    done: whole,
    refused: listOf(object<BulkAnswer["refused"][number]>({ id: text, error: text, message: text })),
    nextCursor: { type: ["string", "null"] },
  }),
  ...LIMIT_ANSWERS,
  ...SCHEDULE_ANSWERS,
  ...EVENT_ANSWERS,
  Rebuilt: object({ told: whole, unknown: whole }),
  Workflows: object({
    workflows: listOf(
      object<Omit<WorkflowDescription, "flow">>({
        id: text,
        "version?": text,
        "description?": text,
        "tags?": listOf(text),
        "timeoutMs?": whole,
        "inputSchema?": { type: ["object", "boolean"], description: "JSON Schema 2020-12 of the input." },
      }),
    ),
  }),
  Health: object({
    ok: { const: true },
    version: text,
    "held?": { const: true, description: "An operator holds the deployment: no execution begins." },
  }),
  Deployment: object<DeploymentInfo>({
    version: text,
    now: time,
    environment: text,
    publicUrl: { type: ["string", "null"] },
    open: { ...flag, description: "Every request is accepted, with all scopes." },
    held: flag,
    index: flag,
    storage: { ...oneOf("sqlite", "unusable"), description: "unusable: the objects of runs fail." },
    compatibility: { type: "object", additionalProperties: flag },
  }),
  Misconfigured: object({ ok: { const: false }, version: text, misconfigured: { const: true } }),
  Document: { ...open, description: "This document." },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export type AnswerName = keyof typeof ANSWERS;
