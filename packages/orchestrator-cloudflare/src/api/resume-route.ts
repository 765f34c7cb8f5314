/**
 * `POST /api/runs/:id/resume`: a new run from an ended one (RES1–RES4).
 *
 * Owns: the order of its three steps: the parent says what the new run takes over, the new run is created, the parent
 * notes it. Each can be repeated: whoever asks again with the same `runId` finds the run.
 */
import { type ResumePlan, type ResumeRequest, outcomesOf } from "@holdfast/orchestrator";
import { LIMITS } from "@holdfast/protocol";
import { ulid } from "ulid";
import type * as v from "valibot";
import { requireScope } from "../auth/principal.ts";
import { type ApiContext, askRunObject, bytesMax } from "./api-context.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven, readBody } from "../request-body.ts";
import { resumeBody } from "./schemas.ts";

type ResumeBody = v.InferOutput<typeof resumeBody>;

export async function resumeRun(c: ApiContext, parentRunId: string): Promise<Response> {
  const body = await readBody(c.req.raw, resumeBody, bytesMax(c));
  const { principal } = c.var;
  if (body.triggeredByUserId !== undefined) requireScope(principal, "admin", "The field triggeredByUserId");
  const runId = body.runId ?? ulid();
  if (runId === parentRunId) {
    throw new ApiRefusal("idempotency_conflict", "The new run needs an id of its own; it cannot have its parent's.");
  }
  const seedResults = Object.entries(body.seedResults ?? {}).map(
    ([step, value]) => [step, encodeGiven(value, `seedResults.${step}`)] as const,
  );
  if (seedResults.length > LIMITS.seedResults) {
    throw new ApiRefusal(
      "invalid_body",
      `seedResults holds more than ${LIMITS.seedResults} results, which is the limit.`,
    );
  }
  const plan = await planFrom(c, parentRunId, body, seedResults);
  if (plan instanceof Response) return plan;
  const answer = await askRunObject(c, runId, {
    command: "trigger",
    waitMs: 0,
    trigger: {
      ...plan,
      runId,
      tenantId: principal.tenantId,
      input: "input" in body ? encodeGiven(body.input, "input") : plan.input,
      tags: body.tags ?? plan.tags,
      triggeredBy: body.triggeredByUserId ?? principal.subject,
      baseUrl: c.env.publicUrl ?? new URL(c.req.url).origin,
    },
  });
  if (answer.ok) await askRunObject(c, parentRunId, { command: "noteResumed", runId, by: principal.subject });
  return answer;
}

/** What the parent hands on; of a parent that is not known here, what the caller says is all (RES2). */
async function planFrom(
  c: ApiContext,
  parentRunId: string,
  body: ResumeBody,
  seedResults: ResumeRequest["seedResults"],
): Promise<ResumePlan | Response> {
  const { resumeFromStep, workflowId } = body;
  const answer = await askRunObject(c, parentRunId, {
    command: "planResume",
    request: { resumeFromStep, seedResults },
  });
  if (answer.ok) {
    const plan = (await answer.json()) as ResumePlan;
    if (workflowId === undefined || workflowId === plan.workflowId) return plan;
    throw new ApiRefusal(
      "invalid_body",
      `The parent is a run of workflow ${JSON.stringify(plan.workflowId)}; a resumed run cannot be of another.`,
    );
  }
  if (answer.status !== 404 || workflowId === undefined) return answer;
  if (resumeFromStep === undefined) {
    throw new ApiRefusal(
      "invalid_body",
      "This deployment does not know the parent run, so resumeFromStep must be given too.",
    );
  }
  const step = typeof resumeFromStep === "string" ? resumeFromStep : resumeFromStep.name;
  return {
    inherited: { parentRunId, step, number: 2, entries: [], outcomes: outcomesOf(seedResults) },
    workflowId,
    input: encodeGiven(undefined, "input"),
    environment: c.env.environment ?? "production",
    tags: [],
  };
}
