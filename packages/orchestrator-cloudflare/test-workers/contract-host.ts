/**
 * The host of the contract suite in workerd, with real storage, alarms and clock.
 */
import { env, listDurableObjectIds, runDurableObjectAlarm } from "cloudflare:test";
import type { Crash, OpenedHost, RunRecord } from "@holdfast/proof/catalogue";
import { call } from "./api-client.ts";
import { crashHappened, planCrash } from "./crashing-storage.ts";

/** The maximum number of tries of a request whose object crashes. */
const TRIES_MAX = 20;

export async function openWorkerdHost(crash: Crash | undefined): Promise<OpenedHost> {
  planCrash(crash);
  let ticks = 0;
  // Objects of ended runs stay until the test ends. Firing their alarms too would cost the square of the runs of a test.
  const ended = new Set((await listDurableObjectIds(env.WORKFLOW_RUN_DO)).map(String));
  return {
    crashed: crashHappened,
    async trigger(runId, workflowId, input, timeoutMs) {
      await ask("/api/runs", {
        runId,
        workflowId,
        input: input ?? null,
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      });
    },
    read: (runId) => ask<RunRecord>(`/api/runs/${runId}`),
    async journal(runId) {
      const { entries } = await ask<{ entries: Entry[] }>(`/api/runs/${runId}/journal`);
      return entries.map(({ type, operation: { kind, occurrence, name } }) => `${type} ${kind}/${occurrence}/${name}`);
    },
    async deliver(runId, kind, name, payload, deliveryId) {
      const body = { payload: payload ?? null, deliveryId };
      await (kind === "signal"
        ? ask(`/api/runs/${runId}/signals`, { name, ...body })
        : ask(`/api/runs/${runId}/events`, { eventType: name, ...body }));
    },
    async resolveToken(runId, tokenId, payload) {
      await ask(`/api/runs/${runId}/tokens/${tokenId}`, { payload });
    },
    async cancel(runId, reason) {
      await ask(`/api/runs/${runId}/cancel`, reason === undefined ? {} : { reason });
    },
    async operate(runId, operation) {
      await ask(`/api/runs/${runId}/${operation}`, {});
    },
    async tick() {
      await wait(2);
      // Fire alarms early, so that the suite does not wait for the watchdog: it detects a lost execution at any time.
      if (crashHappened() && ++ticks % 5 === 0) await fireAlarms(ended);
    },
    wait,
    // All suites of this isolate share the plan.
    close: async () => planCrash(undefined),
  };
}

interface Entry {
  readonly type: string;
  readonly operation: { readonly kind: string; readonly occurrence: number; readonly name: string };
}

/** Repeats a request until it is answered, as a caller does after its connection broke. */
async function ask<T>(path: string, json?: unknown): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await call(path, json);
      const body: unknown = await answer.json();
      // If only the answer was lost, the repeated request is rejected with 409.
      if (answer.ok || (tries > 1 && answer.status === 409)) return body as T;
      if (answer.status < 500 || tries === TRIES_MAX)
        throw new Refused(`${path} answered ${answer.status}: ${JSON.stringify(body)}`);
    } catch (error) {
      if (error instanceof Refused || tries === TRIES_MAX) throw error;
    }
    await wait(5);
  }
}

class Refused extends Error {}

async function fireAlarms(except: ReadonlySet<string>): Promise<void> {
  for (const id of await listDurableObjectIds(env.WORKFLOW_RUN_DO)) {
    if (except.has(String(id))) continue;
    await runDurableObjectAlarm(env.WORKFLOW_RUN_DO.get(id)).catch(() => false);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
