/**
 * `POST /api/runs/:id/resume`: a new run from an ended one (RES1–RES4).
 *
 * Owns: the order of its two requests. The parent returns the plan of what the new run takes over; then the new run is
 * created, and it notifies the parent. Both can be repeated: a repeated call with the same `runId` returns the run.
 */
import { type ResumePlan, type ResumeRequest, outcomesOf } from "@holdfast/orchestrator";
import { nameProblem } from "@holdfast/protocol";
import * as v from "valibot";
import { requireScope } from "../../auth/principal.ts";
import { ApiRefusal } from "../../refusal.ts";
import { encodeGiven } from "../../request-body.ts";
import { CREATION_FIELDS, CREATION_HEADERS, CREATION_QUERY, createRun } from "./create-run.ts";
import { nameField, objectField, payloadField, subjectField, tagsField } from "../call/fields.ts";
import { type Inherited, requireClaims } from "../call/provenance.ts";
import { type CheckedCall, type Route, route } from "../call/route.ts";
import { askRun } from "../call/run-objects.ts";
import { limitsOf } from "../call/worker-deps.ts";

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
  ...CREATION_FIELDS,
  tags: v.optional(tagsField),
  triggeredByUserId: v.optional(subjectField),
});

type ResumeBody = v.InferOutput<typeof resumeBody>;

const PATH = "/api/runs/:id/resume";

type ResumeCall = CheckedCall<typeof PATH, v.InferOutput<typeof CREATION_QUERY>, ResumeBody>;

export const resumeRoutes: readonly Route[] = [
  route({
    id: "resumeRun",
    verb: "POST",
    path: PATH,
    summary: "Creates a new run from an ended one. It takes over the results of the steps before a given step.",
    scope: "trigger",
    headers: CREATION_HEADERS,
    query: CREATION_QUERY,
    body: resumeBody,
    answers: { 200: "VisibleRun", 201: "VisibleRun" },
    refusals: [
      "idempotency_conflict",
      "limit_full",
      "limit_key_invalid",
      "limits_not_configured",
      "newer_format",
      "parent_not_ended",
      "unknown_step",
      "workflow_not_found",
    ],
    handle: resumeRun,
  }),
];

async function resumeRun(call: ResumeCall): Promise<Response> {
  const { principal, body } = call;
  if (body.runId === call.ids.id) {
    throw new ApiRefusal(
      "idempotency_conflict",
      "The new run cannot have the id of its parent. Send another runId, or none.",
    );
  }
  requireClaims(principal, body);
  if (body.seedResults !== undefined) requireScope(principal, "operate", "The field seedResults");
  const plan = await planFrom(call, encodeSeedResults(call));
  if (plan instanceof Response) return plan;
  const { parent, input, tags, ...attributes } = plan;
  return createRun(
    call,
    body,
    {
      ...attributes,
      inherited: { ...plan.inherited, by: principal.subject },
      input: "input" in body ? encodeGiven(body.input, "input") : input,
      tags: body.tags ?? tags,
    },
    parent,
  );
}

function encodeSeedResults({ deps, body: { seedResults = {} } }: ResumeCall): ResumeRequest["seedResults"] {
  const encoded = Object.entries(seedResults).map(
    ([step, value]) => [step, encodeGiven(value, `seedResults.${step}`)] as const,
  );
  const max = limitsOf(deps).seedResults;
  if (encoded.length <= max) return encoded;
  throw new ApiRefusal("invalid_body", `seedResults has ${encoded.length} results; the limit is ${max}.`);
}

/** A plan. `parent`: what the parent has; `undefined`: this deployment does not have the parent. */
type Plan = Omit<ResumePlan, keyof Inherited> & { readonly parent?: Inherited };

/**
 * Returns the plan of what the new run takes over, or the refusal of the parent. If this deployment does not have the
 * parent, the plan consists of the fields of the request (RES2).
 */
async function planFrom(call: ResumeCall, seedResults: ResumeRequest["seedResults"]): Promise<Plan | Response> {
  const { resumeFromStep, workflowId } = call.body;
  const answer = await askRun(call, call.ids.id, { ask: "planResume", request: { resumeFromStep, seedResults } });
  if (answer.status === 404 && workflowId !== undefined) return planWithoutParent(call, workflowId, seedResults);
  if (!answer.ok) return answer;
  const { tenantMeta, environment, ...plan } = (await answer.json()) as ResumePlan;
  if (workflowId === undefined || workflowId === plan.workflowId)
    return { ...plan, parent: { tenantMeta, environment } };
  throw new ApiRefusal(
    "invalid_body",
    "The parent is a run of another workflow; a resumed run must have the workflow of its parent. Leave workflowId out.",
  );
}

/** Nothing shows that the parent existed, so its results are the caller's word: that needs the scope `operate` (SEC7). */
function planWithoutParent(
  { principal, ids, body: { resumeFromStep } }: ResumeCall,
  workflowId: string,
  seedResults: ResumeRequest["seedResults"],
): Plan {
  requireScope(principal, "operate", "A resume of a parent that this deployment does not have");
  if (resumeFromStep === undefined) {
    throw new ApiRefusal("invalid_body", "This deployment does not have the parent run. Send resumeFromStep as well.");
  }
  const step = typeof resumeFromStep === "string" ? resumeFromStep : resumeFromStep.name;
  const inherited = { parentRunId: ids.id, step, number: 2, entries: [], outcomes: outcomesOf(seedResults) };
  return { inherited, workflowId, input: encodeGiven(undefined, "input"), tags: [] };
}
