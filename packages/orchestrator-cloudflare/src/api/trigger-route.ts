/**
 * `POST /api/runs`: triggers a run (RUN2, RUN3).
 *
 * Owns: which run an id or an idempotency key stands for, and what a caller may say about where a run belongs (SEC5).
 */
import { LIMITS, idProblem, parseTraceparent } from "@holdfast/protocol";
import { ulid } from "ulid";
import { requireScope } from "../auth/principal.ts";
import { KEY_RESERVED } from "../run-object/commands.ts";
import { type ApiContext, askRunObject, bytesMax } from "./api-context.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven, readBody } from "../request-body.ts";
import { triggerBody } from "./schemas.ts";

/** Fields that decide where a run goes or comes from: for those only who have the scope for it (SEC5). */
const PROVENANCE = ["tenantMeta", "environment"] as const;

export async function triggerRun(c: ApiContext): Promise<Response> {
  const body = await readBody(c.req.raw, triggerBody, bytesMax(c));
  const { principal } = c.var;
  for (const field of PROVENANCE) {
    if (body[field] !== undefined) requireScope(principal, "admin", `The field ${field}`);
  }
  const given = body.tenantMeta ?? principal.tenantMeta;
  const idempotencyKey = keyOf(c, body.idempotencyKey);
  const keyId = idempotencyKey === undefined ? undefined : await idFromKey(idempotencyKey);
  const runId = body.runId ?? keyId ?? ulid();
  const reserved = keyId !== undefined && keyId !== runId && (await reserveKey(c, keyId, runId));
  const tenantMeta = given === undefined ? undefined : encodeGiven(given, "tenantMeta");
  if ((tenantMeta?.length ?? 0) > LIMITS.tenantMetaChars) {
    throw new ApiRefusal(
      "invalid_body",
      `tenantMeta takes more than ${LIMITS.tenantMetaChars} characters, which is the limit.`,
    );
  }
  const askAs = (id: string): Promise<Response> =>
    askRunObject(c, id, {
      command: "trigger",
      waitMs: preferredWaitMs(c),
      trigger: {
        runId: id,
        tenantId: principal.tenantId,
        workflowId: body.workflowId,
        workflowVersion: body.workflowVersion,
        input: encodeGiven(body.input, "input"),
        tags: body.tags,
        environment: body.environment ?? c.env.environment ?? "production",
        tenantMeta,
        triggeredBy: principal.subject,
        idempotencyKey,
        baseUrl: c.env.publicUrl ?? new URL(c.req.url).origin,
        traceparent: traceparentOf(c),
        delayMs: body.delay,
        timeoutMs: body.timeout,
      },
    });
  const answer = await askAs(runId);
  if (reserved && !answer.ok) await askRunObject(c, keyId, { command: "releaseKey", runId });
  return answer.status === KEY_RESERVED ? askAs(((await answer.json()) as { runId: string }).runId) : answer;
}

/** A key stands for one run, whatever id the caller gives it (RUN2). True: it does so since now. */
async function reserveKey(c: ApiContext, keyId: string, runId: string): Promise<boolean> {
  const answer = await askRunObject(c, keyId, { command: "reserveKey", runId });
  const reserved = (await answer.json()) as { runId: string; fresh: boolean };
  if (reserved.runId === runId) return reserved.fresh;
  throw new ApiRefusal(
    "idempotency_conflict",
    `The idempotency key stands for the run ${JSON.stringify(reserved.runId)} already. Nothing was changed.`,
  );
}

/** The idempotency key of the header or the body, which must not disagree. */
function keyOf(c: ApiContext, inBody: string | undefined): string | undefined {
  const inHeader = c.req.header("Idempotency-Key");
  if (inHeader === undefined) return inBody;
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

/** A run without an id of its own gets one that is fixed by its key: whoever repeats the key finds the run (RUN2). */
async function idFromKey(key: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `key-${Array.from(digest.slice(0, 20), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** `Prefer: wait=SECONDS`, at most LIMITS.preferWaitMs. Anything else is no preference (RFC 7240). */
export function preferredWaitMs(c: ApiContext): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(c.req.header("Prefer") ?? "")?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds) * 1_000, LIMITS.preferWaitMs);
}

/** The caller's place in a trace. What is no `traceparent` is none (W3C Trace Context). */
function traceparentOf(c: ApiContext): string | undefined {
  const header = c.req.header("traceparent");
  return header !== undefined && parseTraceparent(header) !== undefined ? header : undefined;
}
