/**
 * The creation of a run, for every route that creates one (RUN2, RUN3).
 *
 * Owns: what such a route takes from its request beside its own fields: the attributes of the principal, `traceparent`,
 * `Idempotency-Key` and `Prefer`. It chooses the object that gets the trigger.
 */
import { type ChildTrigger, chosenIdProblem, idFromKey } from "@holdfast/orchestrator";
import { type RunOverview, type RunView, parseTraceparent } from "@holdfast/protocol";
import { ulid } from "ulid";
import * as v from "valibot";
import { ApiRefusal } from "../../refusal.ts";
import { type KeyHolder, NOTHING, SKIPPED_FOR } from "../../run-object/commands.ts";
import { runObjectName } from "../../run-object/names.ts";
import { withMore } from "../call/answer-headers.ts";
import { idField, viewField } from "../call/fields.ts";
import { readIdempotencyKey, reserveKey } from "../call/idempotency-key.ts";
import { preferredWaitMs, waitApplied } from "../call/prefer-wait.ts";
import { type Claims, type Inherited, provenanceOf } from "../call/provenance.ts";
import type { Call } from "../call/route.ts";
import { askObject, askRun } from "../call/run-objects.ts";

/** The fields of the body that every such route has. */
export const CREATION_FIELDS = { runId: v.optional(idField), idempotencyKey: v.optional(idField) } as const;

/** The headers that every such route uses. */
export const CREATION_HEADERS = {
  Prefer: "`wait=SECONDS`, at most 60: delays the answer until the run ends, waits or is paused.",
  "Idempotency-Key": "The same as the field `idempotencyKey`.",
  traceparent: "W3C Trace Context, stored with the run.",
} as const;

/** The fields of a body that every such route treats alike. */
interface Creation extends Claims {
  readonly runId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** The attributes of the new run that its route decides. `inherited`: of a resumed run, the attributes of its parent. */
type Attributes = Pick<
  ChildTrigger,
  "workflowId" | "workflowVersion" | "input" | "tags" | "timeoutMs" | "delayMs" | "inherited"
>;

/** The query of every such route. Other parameters have no effect. */
export const CREATION_QUERY = v.object({ view: viewField });

/** A call of such a route. `query.view`: what of the run the answer shows. */
type CreationCall = Call & { readonly query: { readonly view?: RunView | undefined } };

/** Creates a run, or returns the one that has the id or the idempotency key already. `parent`: what a resumed run takes over. */
export async function createRun(
  call: CreationCall,
  body: Creation,
  attributes: Attributes,
  parent?: Inherited,
): Promise<Response> {
  // The whole trigger is checked before the key is reserved: a rejected trigger must not reserve a key.
  const idempotencyKey = readIdempotencyKey(call.request, body.idempotencyKey);
  const trigger = {
    ...attributes,
    ...provenanceOf(call, body, parent),
    traceparent: traceparentOf(call.request),
    idempotencyKey,
  };
  const keyId = idempotencyKey === undefined ? undefined : idFromKey(idempotencyKey);
  const runId = body.runId ?? keyId ?? ulid();
  const problem = body.runId === undefined ? undefined : chosenIdProblem(body.runId, keyId);
  if (problem !== undefined) throw new ApiRefusal("invalid_body", `runId: ${problem}`);
  if (keyId === undefined)
    return withSkipped(call, await askToTrigger(call, { ...trigger, runId }, false, body.runId !== undefined));
  if (keyId === runId) return withSkipped(call, await triggerByKey(call, { ...trigger, runId }));
  return withSkipped(call, await triggerWithKey(call, { ...trigger, runId, idempotencyKey }, keyId));
}

/** Shows the run that holds the limit because of which no run was created (L6). One of another tenant is not shown. */
async function withSkipped(call: CreationCall, answer: Response): Promise<Response> {
  const holder = answer.headers.get(SKIPPED_FOR);
  if (holder === null) return answer;
  const runId = decodeURIComponent(holder);
  const shown = await askRun(call, runId, { ask: "read", waitMs: 0, shows: call.query.view });
  if (!shown.ok)
    throw new ApiRefusal("limit_full", "Another run holds the limit. Nothing was stored. Trigger the run again later.");
  const run = (await shown.json()) as RunOverview;
  return Response.json({ ...run, skipped: true });
}

/** Triggers a run in another object than the key's. The key belongs to the run unless the trigger is rejected. */
async function triggerWithKey(call: CreationCall, trigger: ChildTrigger, keyId: string): Promise<Response> {
  const { runId } = trigger;
  const reservedNow = await reserveKey(call, keyId, runId);
  const answer = await askToTrigger(call, trigger, false, true);
  // A rejected request for the same run that reserved the key before may have released it since.
  if (!reservedNow && answer.status === 201) await askRun(call, keyId, { ask: "reserveKey", runId });
  // After a failure it is unknown whether the run was created.
  const isRejected = (answer.status >= 400 && answer.status < 500) || answer.headers.has(SKIPPED_FOR);
  if (reservedNow && isRejected && !(await hasKey(call, trigger)))
    await askRun(call, keyId, { ask: "releaseKey", runId });
  return answer;
}

/** Whether the run with the trigger's id has the trigger's key: another request has created it since. */
async function hasKey({ deps, principal }: Call, { runId, idempotencyKey }: ChildTrigger): Promise<boolean> {
  const object = deps.runDO.idFromName(runObjectName(principal.tenantId, runId));
  const answer = await askObject(deps, object, {
    ask: "read",
    waitMs: 0,
    shows: "summary",
    view: { ...NOTHING, run: true },
  });
  if (answer.status === 404) return false;
  if (!answer.ok) return true;
  const run = (await answer.json()) as Partial<RunOverview>;
  return run.idempotencyKey === idempotencyKey;
}

/** Triggers the run in the object with the key's id. If the key belongs to a run with another id, triggers that run. */
async function triggerByKey(call: CreationCall, trigger: ChildTrigger): Promise<Response> {
  const answer = await askToTrigger(call, trigger, true);
  if (answer.status !== 200 || answer.headers.has(SKIPPED_FOR)) return answer;
  const { keyStandsFor } = (await answer.clone().json()) as Partial<KeyHolder>;
  return keyStandsFor === undefined ? answer : askToTrigger(call, { ...trigger, runId: keyStandsFor });
}

async function askToTrigger(
  call: CreationCall,
  trigger: ChildTrigger,
  byKey = false,
  chosen = false,
): Promise<Response> {
  const waitMs = preferredWaitMs(call.request, call.deps);
  const answer = await askRun(call, trigger.runId, {
    ask: "trigger",
    waitMs,
    trigger,
    byKey,
    chosen,
    shows: call.query.view,
  });
  if (!answer.ok) return answer;
  const path = `/api/runs/${encodeURIComponent(trigger.runId)}`;
  const location = answer.status === 201 ? path : undefined;
  return withMore(answer, { Location: location, ...waitApplied(call.request, call.deps) });
}

/** Returns the request's `traceparent`. An invalid one is ignored (W3C Trace Context). */
function traceparentOf(request: Request): string | undefined {
  const header = request.headers.get("traceparent");
  return header !== null && parseTraceparent(header) !== undefined ? header : undefined;
}
