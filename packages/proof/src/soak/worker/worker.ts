/**
 * The Worker of the soak test. The prefix of a run's id selects its dispatcher, storage writes can be made to fail, and
 * the clock of the runs can be shifted.
 */
import { env as environment } from "cloudflare:workers";
import {
  type DurableObjectStorageLike,
  type RpcBinding,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { STEPS_AUDIENCE, soakWorkflows } from "../workflows.ts";

interface Env {
  readonly SIBLING: Fetcher;
  readonly SIBLING_RPC: RpcBinding;
  readonly STEPS_URL: string;
  readonly STEPS_KEY: string;
  readonly RECORDER_URL: string;
}

const workflows = soakWorkflows(() => (environment as unknown as Env).RECORDER_URL);

/** How far the clock of the runs is ahead of the machine's, ms. */
let shiftMs = 0;

/** Until this time every write of a run fails, ms since the epoch. */
let diskFullUntil = 0;

function dispatcherOf(env: Env): StepDispatcher {
  const inline = createInlineDispatcher({ workflows });
  const pipes: readonly (readonly [prefix: string, dispatcher: StepDispatcher])[] = [
    ["rpc-", createServiceBindingDispatcher({ binding: env.SIBLING_RPC })],
    ["fetch-", createServiceBindingDispatcher({ binding: env.SIBLING, pipe: "fetch" })],
    ["http-", createHttpDispatcher({ url: env.STEPS_URL, signingKey: env.STEPS_KEY, audience: STEPS_AUDIENCE })],
  ];
  return {
    ...inline,
    start(start, port) {
      const [, found = inline] = pipes.find(([prefix]) => start.run.id.startsWith(prefix)) ?? [];
      return found.start(start, port);
    },
  };
}

function fallible(storage: DurableObjectStorage): DurableObjectStorageLike {
  const { kv } = storage;
  return {
    kv: {
      get: (key) => kv.get(key),
      list: (options) => kv.list(options),
      delete: (key) => kv.delete(key),
      put(key, value) {
        if (Date.now() < diskFullUntil) throw new Error("the disk is full");
        kv.put(key, value);
      },
    },
    transactionSync: (closure) => storage.transactionSync(closure),
    // A machine whose clock is stepped fires its alarms by the same clock.
    getAlarm: async () => {
      const at = await storage.getAlarm();
      return at === null ? null : at + shiftMs;
    },
    setAlarm: (at) => storage.setAlarm(at - shiftMs),
    sync: () => storage.sync(),
    deleteAlarm: () => storage.deleteAlarm(),
    deleteAll: () => storage.deleteAll(),
  };
}

const app = holdfast({
  dispatcher: dispatcherOf,
  deps: () => ({ verifyRequest: () => true, telemetry: {} }),
  runObject: (deps, ctx: DurableObjectState, _env) => ({
    ...deps,
    storage: fallible(ctx.storage),
    clock: () => Date.now() + shiftMs,
  }),
});

export default {
  fetch(request: Request, env: Env): Promise<Response> | Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/soak/clock") {
      shiftMs = Number(searchParams.get("ms"));
      return new Response("ok");
    }
    if (pathname !== "/soak/disk-full") return app.worker.fetch(request, env);
    diskFullUntil = Date.now() + Number(searchParams.get("ms"));
    return new Response("ok");
  },
};

export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
