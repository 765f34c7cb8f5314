/**
 * `POST /api/runs`: triggers a run (RUN2, RUN3).
 *
 * Owns: which run an id or an idempotency key stands for.
 */
import { DEFAULT_LIMITS, idProblem, parseTraceparent, toHex } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { requireScope } from "../auth/principal.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven } from "../request-body.ts";
import type { KeyHolder, KeyReserved } from "../run-object/commands.ts";
import { durationField, idField, nameField, objectField, payloadField, tagsField } from "./fields.ts";
import { WAIT_HEADER, preferredWaitMs } from "./prefer-wait.ts";
import { type Call, type CheckedCall, type Route, route } from "./route.ts";
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

export const triggerRoutes: readonly Route[] = [
  route({
    id: "triggerRun",
    verb: "POST",
    path: "/api/runs",
    summary:
      "Triggers a run. The same id or idempotency key with the same workflow and input gives the run that is there.",
    scope: "trigger",
    headers: {
      ...WAIT_HEADER,
      "Idempotency-Key": "The same as the field `idempotencyKey`.",
      traceparent: "W3C Trace Context, kept with the run.",
    },
    body: triggerBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "workflow_not_found"],
    handle: triggerRun,
  }),
];

/** Fields that decide where a run goes or comes from: for those only who have the scope for it (SEC5). */
const PROVENANCE = ["tenantMeta", "environment"] as const;

async function triggerRun(call: CheckedCall<string, unknown, v.InferOutput<typeof triggerBody>>): Promise<Response> {
  const { request, deps, principal, body } = call;
  for (const field of PROVENANCE) {
    if (body[field] !== undefined) requireScope(principal, "admin", `The field ${field}`);
  }
  const given = body.tenantMeta ?? principal.tenantMeta;
  const idempotencyKey = keyOf(request, body.idempotencyKey);
  const keyId = idempotencyKey === undefined ? undefined : await idFromKey(idempotencyKey);
  const runId = body.runId ?? keyId ?? ulid();
  const reserved = keyId !== undefined && keyId !== runId && (await reserveKey(call, keyId, runId));
  const tenantMeta = given === undefined ? undefined : encodeGiven(given, "tenantMeta");
  const { tenantMetaChars } = deps.limits ?? DEFAULT_LIMITS;
  if ((tenantMeta?.length ?? 0) > tenantMetaChars) {
    throw new ApiRefusal(
      "invalid_body",
      `tenantMeta takes more than ${tenantMetaChars} characters, which is the limit.`,
    );
  }
  const askAs = (id: string): Promise<Response> =>
    askRun(call, id, {
      ask: "trigger",
      waitMs: preferredWaitMs(request, deps),
      trigger: {
        runId: id,
        tenantId: principal.tenantId,
        workflowId: body.workflowId,
        workflowVersion: body.workflowVersion,
        input: encodeGiven(body.input, "input"),
        tags: body.tags,
        environment: body.environment ?? deps.environment ?? "production",
        tenantMeta,
        triggeredBy: principal.subject,
        idempotencyKey,
        baseUrl: deps.publicUrl ?? new URL(request.url).origin,
        traceparent: traceparentOf(request),
        delayMs: body.delay,
        timeoutMs: body.timeout,
      },
    });
  const answer = await askAs(runId);
  if (reserved && !answer.ok) await askRun(call, keyId, { ask: "releaseKey", runId });
  if (answer.status !== 200) return answer;
  const known = (await answer.json()) as Partial<KeyHolder>;
  return known.keyStandsFor === undefined ? Response.json(known) : askAs(known.keyStandsFor);
}

/** A key stands for one run, whatever id the caller gives it (RUN2). True: it does so since now. */
async function reserveKey(call: Call, keyId: string, runId: string): Promise<boolean> {
  const answer = await askRun(call, keyId, { ask: "reserveKey", runId });
  const reserved = (await answer.json()) as KeyReserved;
  if (reserved.runId === runId) return reserved.fresh;
  throw new ApiRefusal(
    "idempotency_conflict",
    `The idempotency key stands for the run ${JSON.stringify(reserved.runId)} already. Nothing was changed.`,
  );
}

/** The idempotency key of the header or the body, which must not disagree. */
function keyOf(request: Request, inBody: string | undefined): string | undefined {
  const inHeader = request.headers.get("Idempotency-Key");
  if (inHeader === null) return inBody;
  const problem = idProblem(inHeader);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The Idempotency-Key ${problem}.`);
  if (inBody !== undefined && inBody !== inHeader) {
    throw new ApiRefusal(
      "invalid_body",
      "The header Idempotency-Key and the field idempotencyKey differ. Give one of them.",
    );
  }
  return inHeader;
}

/** A run without an id of its own gets one that is fixed by its key: the same key finds the same run (RUN2). */
async function idFromKey(key: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `key-${toHex(digest.slice(0, 20))}`;
}

/** The caller's place in a trace. What is no `traceparent` is none (W3C Trace Context). */
function traceparentOf(request: Request): string | undefined {
  const header = request.headers.get("traceparent");
  return header !== null && parseTraceparent(header) !== undefined ? header : undefined;
}
