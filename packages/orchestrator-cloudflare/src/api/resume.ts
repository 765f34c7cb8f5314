/**
 * `POST /api/runs/:id/resume`: a new run from an ended one (RES1–RES4).
 *
 * Owns: the order of its two steps: the parent says what the new run takes over, and the new run is created, which sends
 * the parent a note. Each can be repeated: a caller that asks again with the same `runId` finds the run.
 */
import { type ResumePlan, type ResumeRequest, outcomesOf } from "@holdfast/orchestrator";
import { DEFAULT_LIMITS, nameProblem } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { requireScope } from "../auth/principal.ts";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven } from "../request-body.ts";
import { idField, nameField, objectField, payloadField, tagsField } from "./fields.ts";
import { type Call, type CheckedCall, type Route, route } from "./route.ts";
import { askRun } from "./run-objects.ts";

const stepReference = v.union([
  nameField,
  v.strictObject({ name: nameField, occurrence: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
]);

const resumeBody = v.strictObject({
  input: payloadField,
  workflowId: v.optional(nameField),
  resumeFromStep: v.optional(stepReference),
  seedResults: v.optional(
    v.pipe(
      objectField,
      v.check(
        (results) => Object.keys(results).every((step) => nameProblem(step) === undefined),
        "must have step names as keys",
      ),
    ),
  ),
  runId: v.optional(idField),
  tags: v.optional(tagsField),
  triggeredByUserId: v.optional(idField),
});

type ResumeBody = v.InferOutput<typeof resumeBody>;

const PATH = "/api/runs/:id/resume";

export const resumeRoutes: readonly Route[] = [
  route({
    id: "resumeRun",
    verb: "POST",
    path: PATH,
    summary: "A new run from an ended one, which takes over what was done before a step.",
    scope: "trigger",
    body: resumeBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "parent_not_ended", "unknown_step", "workflow_not_found"],
    handle: resumeRun,
  }),
];

async function resumeRun(call: CheckedCall<typeof PATH, unknown, ResumeBody>): Promise<Response> {
  const { request, deps, principal, body } = call;
  const parentRunId = call.ids.id;
  if (body.triggeredByUserId !== undefined) requireScope(principal, "admin", "The field triggeredByUserId");
  const runId = body.runId ?? ulid();
  if (runId === parentRunId) {
    throw new ApiRefusal("idempotency_conflict", "The new run needs an id of its own; it cannot have its parent's.");
  }
  const seedResults = Object.entries(body.seedResults ?? {}).map(
    ([step, value]) => [step, encodeGiven(value, `seedResults.${step}`)] as const,
  );
  const { seedResults: seedResultsMax } = deps.limits ?? DEFAULT_LIMITS;
  if (seedResults.length > seedResultsMax) {
    throw new ApiRefusal("invalid_body", `seedResults holds more than ${seedResultsMax} results, which is the limit.`);
  }
  const plan = await planFrom(call, parentRunId, body, seedResults);
  if (plan instanceof Response) return plan;
  return askRun(call, runId, {
    ask: "trigger",
    waitMs: 0,
    trigger: {
      ...plan,
      inherited: { ...plan.inherited, by: principal.subject },
      runId,
      tenantId: principal.tenantId,
      input: "input" in body ? encodeGiven(body.input, "input") : plan.input,
      tags: body.tags ?? plan.tags,
      triggeredBy: body.triggeredByUserId ?? principal.subject,
      baseUrl: deps.publicUrl ?? new URL(request.url).origin,
    },
  });
}

/** What the parent hands on; of a parent that is not known here, what the caller says is all (RES2). */
async function planFrom(
  call: Call,
  parentRunId: string,
  body: ResumeBody,
  seedResults: ResumeRequest["seedResults"],
): Promise<ResumePlan | Response> {
  const { resumeFromStep, workflowId } = body;
  const answer = await askRun(call, parentRunId, {
    ask: "planResume",
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
    environment: call.deps.environment ?? "production",
    tags: [],
  };
}
