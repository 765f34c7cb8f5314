/**
 * The measured Worker: Holdfast as a user configures it, with the floor.
 *
 * Owns: the choice of a run's pipe by its id, the eviction of an object, the count of an object's writes, and the wait for
 * a run's end. That wait ends with the write of the end: the measured time does not include a read of the run's record.
 */
import {
  type DurableObjectStorageLike,
  type RpcBinding,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
} from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { type FloorEnv, FloorDO } from "./floor.ts";
import { workflows } from "./workflows.ts";

export { FloorDO };

interface Env extends FloorEnv {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  readonly FLOOR: DurableObjectNamespace;
  readonly SIBLING_RPC: RpcBinding;
  readonly STEP_HANDLER_URL: string;
  readonly STEP_HANDLER_KEY: string;
}

/** `rpc-7` runs over RPC. `cold-rpc-7` starts inline, which writes a long journal quickly, and is woken over RPC. */
function dispatcherOf(env: Env): StepDispatcher {
  const inline = createInlineDispatcher({ workflows });
  const pipes: Readonly<Record<string, StepDispatcher>> = {
    inline,
    rpc: createServiceBindingDispatcher({ binding: env.SIBLING_RPC }),
    fetch: createServiceBindingDispatcher({ binding: env.SIBLING, pipe: "fetch" }),
    http: createHttpDispatcher({ url: env.STEP_HANDLER_URL, signingKey: env.STEP_HANDLER_KEY, connections: false }),
    socket: createHttpDispatcher({ url: env.STEP_HANDLER_URL, signingKey: env.STEP_HANDLER_KEY }),
  };
  return {
    ...inline,
    // The pages of each pipe fit the inline pipe too.
    readsPages: (workflowId) => workflowId !== "whole" && "later",
    start(start, port) {
      const [first = "", second = ""] = start.run.id.split("-");
      const name = first === "cold" ? second : first;
      const pipe = first === "cold" && start.journal.length === 0 ? inline : (pipes[name] ?? inline);
      return pipe.start(start, port);
    },
  };
}

/** Statuses of a run that has neither ended nor paused. */
const IN_PROGRESS: ReadonlySet<unknown> = new Set(["pending", "running", "waiting"]);

/** Counts the writes of a run's object since it was loaded. */
class Writes {
  puts = 0;
  deletes = 0;
  alarms = 0;
  readonly ended = Promise.withResolvers<string>();

  count(storage: DurableObjectStorage): DurableObjectStorageLike {
    const { kv } = storage;
    return {
      kv: {
        get: (key) => kv.get(key),
        list: (options) => kv.list(options),
        put: (key, value) => {
          this.puts += 1;
          kv.put(key, value);
          if (key === "record") this.#see((value as { readonly status?: unknown }).status);
        },
        delete: (key) => {
          this.deletes += 1;
          return kv.delete(key);
        },
      },
      getAlarm: () => storage.getAlarm(),
      transactionSync: (closure) => storage.transactionSync(closure),
      setAlarm: (at) => {
        this.alarms += 1;
        return storage.setAlarm(at);
      },
      deleteAlarm: () => storage.deleteAlarm(),
      deleteAll: () => storage.deleteAll(),
    };
  }

  #see(status: unknown): void {
    if (typeof status === "string" && !IN_PROGRESS.has(status)) this.ended.resolve(status);
  }
}

const writesOf = new WeakMap<DurableObjectStorage, Writes>();

const app = holdfast({
  dispatcher: dispatcherOf,
  deps: () => ({ verifyRequest: () => true, telemetry: {} }),
  runObject: (deps, { storage }: DurableObjectState, _env) => ({
    ...deps,
    storage: writesOf.get(storage)?.count(storage) ?? deps.storage,
    sockets: undefined,
  }),
});

export const { CoordinatorDO, RunIndexDO } = app;

export class WorkflowRunDO extends app.WorkflowRunDO {
  readonly #state: DurableObjectState;
  readonly #writes = new Writes();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#state = state;
    writesOf.set(state.storage, this.#writes);
  }

  override async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/bench/evict":
        return this.#evict();
      case "/bench/ended":
        return Response.json({ status: await this.#writes.ended.promise });
      case "/bench/writes": {
        const { puts, deletes, alarms } = this.#writes;
        const { kv, sql } = this.#state.storage;
        return Response.json({ puts, deletes, alarms, keys: [...kv.list()].length, bytes: sql.databaseSize });
      }
      default:
        return super.fetch(request);
    }
  }

  /** Aborts the object. The request fails, which shows the caller that the object left memory. */
  async #evict(): Promise<Response> {
    await this.#state.storage.sync();
    this.#state.abort("dropped from memory for a measurement");
    return new Response();
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const id = searchParams.get("id") ?? "";
    const object = (path: string): Promise<Response> =>
      env.WORKFLOW_RUN_DO.get(env.WORKFLOW_RUN_DO.idFromName(id)).fetch(`https://run.internal${path}`);
    switch (pathname) {
      case "/bench/floor":
        return env.FLOOR.get(env.FLOOR.idFromName(id)).fetch(new Request(request));
      case "/bench/run":
      case "/bench/wake": {
        // The signal causes the end of an existing run: start to wait for the end first, then send the signal.
        const wakes = pathname === "/bench/wake";
        const ended = wakes ? object("/bench/ended") : undefined;
        const path = wakes ? `/api/runs/${id}/signals` : "/api/runs";
        const answer = await app.worker.fetch(new Request(new URL(path, request.url), request), env);
        return answer.ok ? (ended ?? object("/bench/ended")) : answer;
      }
      case "/bench/evict":
      case "/bench/writes":
        return object(pathname);
      default:
        return app.worker.fetch(request, env);
    }
  },
};
