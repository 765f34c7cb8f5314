/**
 * The start of a run in a world with many runs.
 *
 * Owns: what the Worker does with a trigger: a window collects it (WIN1), limits are asked before the run exists (L6), and a
 * refusal is an error of the client.
 */
import {
  type AskedTrigger,
  type ChildTrigger,
  type CollectAnswer,
  type PlannedCollect,
  type SendResult,
  askLimits,
  idFromKey,
  planCollect,
  toTriggerInput,
} from "@holdfast/orchestrator";
import { type Address, defined } from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { ApiError } from "../client/errors.ts";
import type { MemoryHost } from "./memory-host/memory-host.ts";
import { SEED, newTrigger } from "./memory-host/new-trigger.ts";

/** The statuses of the API's answers. */
const STATUS: Readonly<Record<string, number>> = {
  body_too_large: 413,
  idempotency_conflict: 409,
  internal_error: 500,
  invalid_body: 400,
  limit_full: 429,
  limit_key_invalid: 422,
  limits_not_configured: 501,
  too_many_requests: 429,
  workflow_not_found: 404,
};

/**
 * Returns the object of the run: the new one, the one that a window starts, or the one that holds a limit.
 * @throws ApiError
 */
export async function startRun(
  hostOf: (runId: string) => MemoryHost,
  { id, version, flow }: Pick<Workflow, "id" | "version" | "flow">,
  input: unknown,
  newId: string,
  idempotencyKey: string | undefined,
): Promise<MemoryHost> {
  const trigger = newTrigger(newId, id, input, defined({ workflowVersion: version, idempotencyKey }));
  const collected = planCollect(defined({ id, version, flow }), trigger);
  if (collected !== undefined && "code" in collected) throw refusal(collected.code, collected.message);
  if (collected !== undefined) return hostOf(await collect(hostOf(newId), collected));
  const runId = idempotencyKey === undefined ? newId : idFromKey(idempotencyKey);
  return hostOf(await create(hostOf(runId), { ...trigger, runId }));
}

async function collect({ coordinators }: MemoryHost, { to, message }: PlannedCollect): Promise<string> {
  const result = await coordinators.get(to).receive(message);
  // A cast: a window answers so.
  const answer = (result as Extract<SendResult<CollectAnswer>, { readonly type: "acknowledged" }>).answer;
  if (answer?.type === "collected") return answer.runId;
  if (answer?.type === "full")
    throw refusal("too_many_requests", `The window remembers ${answer.max} idempotency keys, which is the limit.`);
  throw refusal("body_too_large", `The input is larger than a batch may be: ${answer?.maxBytes} bytes.`);
}

async function create(
  { host, triggered, clock, coordinators, newUnique }: MemoryHost,
  trigger: ChildTrigger,
): Promise<string> {
  const given = toTriggerInput(trigger, SEED, newUnique());
  const plan = triggered ? undefined : host.plan(given);
  const asking = {
    clock: () => clock.now(),
    send: (to: Address, message: object, done: (result: SendResult) => void) =>
      void Promise.resolve(coordinators.get(to).receive(message)).then(done),
  };
  const [asked, giveBack] = await new Promise<[AskedTrigger, () => void]>((resolve) => {
    askLimits(given, plan, asking, (...answer) => resolve(answer));
  });
  if (asked.type === "skipped") return asked.holder;
  if (asked.type === "full") throw refusal("limit_full", asked.message, defined({ retryAt: asked.retryAt }));
  if (asked.type === "not answered") throw refusal("internal_error", asked.message);
  const reply = host.handle(asked.input);
  if (reply.type !== "created") giveBack();
  if (reply.type === "refused") throw refusal(reply.code, reply.message, reply.details);
  return trigger.runId;
}

function refusal(code: string, message: string, details?: object): ApiError {
  return new ApiError("testWorld.start", STATUS[code] ?? 400, code, message, details);
}
