/**
 * The requests of the suite to the Worker and to a run's object.
 */
import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect } from "vitest";

export interface RunRecord {
  readonly id: string;
  readonly status: string;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly steps: readonly { readonly name: string; readonly status: string; readonly attempts: number }[];
  readonly pendingWaitpoints: readonly { readonly kind: string; readonly wakeAt?: number }[];
  readonly invocationCount: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

const worker = (exports as { default: Fetcher }).default;

export async function call(path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const init =
    json === undefined
      ? { headers }
      : { method: "POST", body: JSON.stringify(json), headers: { "Content-Type": "application/json", ...headers } };
  return worker.fetch(`https://holdfast.test${path}`, init);
}

/** Triggers a run. Returns its record when it parks or ends, or at once if `wait` is 0. */
export async function trigger(workflowId: string, runId: string, input: unknown = null, wait = 10): Promise<RunRecord> {
  const answer = await call("/api/runs", { workflowId, runId, input }, { Prefer: `wait=${wait}` });
  expect(answer.status).toBe(201);
  return answer.json();
}

export function remove(runId: string): Promise<Response> {
  return worker.fetch(`https://holdfast.test/api/runs/${encodeURIComponent(runId)}`, { method: "DELETE" });
}

export async function read(runId: string): Promise<RunRecord> {
  return (await call(`/api/runs/${encodeURIComponent(runId)}`)).json();
}

export async function signal(runId: string, name: string, payload: unknown = null): Promise<{ delivery: string }> {
  const answer = await call(`/api/runs/${encodeURIComponent(runId)}/signals`, { name, payload });
  expect(answer.status).toBe(202);
  return answer.json();
}

/** Waits until the run has this status. Fires no alarm. */
export async function untilStatus(runId: string, status: string): Promise<RunRecord> {
  await expect.poll(async () => (await read(runId)).status, { timeout: 20_000, interval: 20 }).toBe(status);
  return read(runId);
}

export function stubOf(runId: string): DurableObjectStub {
  return env.WORKFLOW_RUN_DO.get(env.WORKFLOW_RUN_DO.idFromName(runId));
}

/** Removes the run's object from memory, as hibernation does. */
export function evict(runId: string): Promise<void> {
  return evictDurableObject(stubOf(runId));
}

export function fireAlarm(runId: string): Promise<boolean> {
  return runDurableObjectAlarm(stubOf(runId));
}

export function inObject<R>(runId: string, fn: (state: DurableObjectState) => R | Promise<R>): Promise<R> {
  return runInDurableObject(stubOf(runId), (_instance, state) => fn(state));
}
