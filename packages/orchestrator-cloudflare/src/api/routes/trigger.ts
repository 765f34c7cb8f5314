/**
 * `POST /api/runs`: triggers a run (RUN2, RUN3).
 */
import * as v from "valibot";
import { encodeGiven } from "../../request-body.ts";
import { CREATION_FIELDS, CREATION_HEADERS, CREATION_QUERY, createRun } from "./create-run.ts";
import { durationField, nameField, objectField, payloadField, tagsField } from "../call/fields.ts";
import { type Route, route } from "../call/route.ts";

const triggerBody = v.strictObject({
  workflowId: nameField,
  workflowVersion: v.optional(nameField),
  input: payloadField,
  tenantMeta: v.optional(objectField),
  ...CREATION_FIELDS,
  tags: v.optional(tagsField, []),
  delay: v.optional(durationField),
  timeout: v.optional(durationField),
  environment: v.optional(nameField),
});

export const triggerRoutes: readonly Route[] = [
  route({
    id: "triggerRun",
    verb: "POST",
    path: "/api/runs",
    summary:
      "Triggers a run. The same id or idempotency key with the same workflow and input returns the existing run.",
    scope: "trigger",
    headers: CREATION_HEADERS,
    query: CREATION_QUERY,
    body: triggerBody,
    answers: { 200: "VisibleRun", 201: "VisibleRun", 202: "Collected" },
    refusals: [
      "idempotency_conflict",
      "limit_full",
      "limit_key_invalid",
      "limits_not_configured",
      "newer_format",
      "too_many_requests",
      "workflow_not_found",
    ],
    handle: (call) => {
      const { workflowId, workflowVersion, tags, timeout: timeoutMs, delay: delayMs } = call.body;
      const input = encodeGiven(call.body.input, "input");
      return createRun(call, call.body, { workflowId, workflowVersion, tags, timeoutMs, delayMs, input });
    },
  }),
];
