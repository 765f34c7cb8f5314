/**
 * `POST /api/runs/:id/resume`: a new run from an ended one (RES1–RES4).
 *
 * Owns: the order of its two requests. The parent returns the plan of what the new run takes over; then the new run is
 * created, and it notifies the parent. Both can be repeated: a repeated call with the same `runId` returns the run.
 */
import { type ResumePlan, type ResumeRequest, outcomesOf } from "@holdfast/orchestrator";
import { nameProblem } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { ApiRefusal } from "../refusal.ts";
import { encodeGiven } from "../request-body.ts";
import { idField, nameField, objectField, payloadField, tagsField } from "./fields.ts";
import { type Provenance, provenanceOf } from "./provenance.ts";
import { type CheckedCall, type Route, route } from "./route.ts";
import { askRun } from "./run-objects.ts";
import { limitsOf } from "./worker-deps.ts";

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

type ResumeCall = CheckedCall<typeof PATH, unknown, ResumeBody>;

export const resumeRoutes: readonly Route[] = [
  route({
    id: "resumeRun",
    verb: "POST",
    path: PATH,
    summary: "Creates a new run from an ended one. It takes over the results of the steps before a given step.",
    scope: "trigger",
    body: resumeBody,
    answers: { 200: "Run", 201: "Run" },
    refusals: ["idempotency_conflict", "parent_not_ended", "unknown_step", "workflow_not_found"],
    handle: resumeRun,
  }),
];

async function resumeRun(call: ResumeCall): Promise<Response> {
  const { principal, body } = call;
  const parentRunId = call.ids.id;
  const provenance = provenanceOf(call, body);
  const runId = body.runId ?? ulid();
  if (runId === parentRunId) {
    throw new ApiRefusal(
      "idempotency_conflict",
      "The new run cannot have the id of its parent. Send another runId, or none.",
    );
  }
  const plan = await planFrom(call, provenance, encodeSeedResults(call));
  if (plan instanceof Response) return plan;
  return askRun(call, runId, {
    ask: "trigger",
    byKey: false,
    waitMs: 0,
    trigger: {
      ...provenance,
      ...plan,
      inherited: { ...plan.inherited, by: principal.subject },
      // The parent decides, also if it has no `tenantMeta`.
      tenantMeta: plan.tenantMeta,
      runId,
      input: "input" in body ? encodeGiven(body.input, "input") : plan.input,
      tags: body.tags ?? plan.tags,
    },
  });
}

function encodeSeedResults({ deps, body: { seedResults = {} } }: ResumeCall): ResumeRequest["seedResults"] {
  const encoded = Object.entries(seedResults).map(
    ([step, value]) => [step, encodeGiven(value, `seedResults.${step}`)] as const,
  );
  const max = limitsOf(deps).seedResults;
  if (encoded.length <= max) return encoded;
  throw new ApiRefusal("invalid_body", `seedResults has ${encoded.length} results; the limit is ${max}.`);
}

/**
 * Returns the plan of what the new run takes over, or the refusal of the parent. If this deployment does not have the
 * parent, the plan consists of the fields of the request (RES2).
 */
async function planFrom(
  call: ResumeCall,
  provenance: Provenance,
  seedResults: ResumeRequest["seedResults"],
): Promise<ResumePlan | Response> {
  const parentRunId = call.ids.id;
  const { resumeFromStep, workflowId } = call.body;
  const answer = await askRun(call, parentRunId, { ask: "planResume", request: { resumeFromStep, seedResults } });
  if (answer.ok) {
    const plan = (await answer.json()) as ResumePlan;
    if (workflowId === undefined || workflowId === plan.workflowId) return plan;
    throw new ApiRefusal(
      "invalid_body",
      `The parent is a run of workflow ${JSON.stringify(plan.workflowId)}; a resumed run must have the same workflow.`,
    );
  }
  if (answer.status !== 404 || workflowId === undefined) return answer;
  if (resumeFromStep === undefined) {
    throw new ApiRefusal("invalid_body", "This deployment does not have the parent run. Send resumeFromStep as well.");
  }
  const step = typeof resumeFromStep === "string" ? resumeFromStep : resumeFromStep.name;
  return {
    inherited: { parentRunId, step, number: 2, entries: [], outcomes: outcomesOf(seedResults) },
    workflowId,
    input: encodeGiven(undefined, "input"),
    environment: provenance.environment,
    tenantMeta: provenance.tenantMeta,
    tags: [],
  };
}
