/**
 * The Worker that the real-workerd suite drives: the library as a user would wire it, with workflows made for testing.
 */
import {
  type RpcBindingLike,
  type RunObjectDeps,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
  createServiceBindingDispatcher,
  durableObjectIndex,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleDurableObjectWebSocketMessage,
  handleRunIndexRequest,
  handleWorkerRequest,
} from "../src/index.ts";
import { crashingStorage } from "./crashing-storage.ts";
import { workflows } from "./workflows.ts";

export interface Env {
  readonly SIBLING: Fetcher;
  readonly SIBLING_RPC: RpcBindingLike;
  readonly STEP_HANDLER_URL: string;
  readonly STEP_HANDLER_KEY: string;
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  readonly RUN_INDEX_DO: DurableObjectNamespace;
  readonly PAYLOADS: R2Bucket;
}

/** Where the code of a run is executed is told by the beginning of its id. */
function dispatcherOf(env: Env): StepDispatcher {
  const inline = createInlineDispatcher({ workflows });
  const pipes: readonly (readonly [prefix: string, dispatcher: StepDispatcher])[] = [
    ["rpc-", createServiceBindingDispatcher({ binding: env.SIBLING_RPC })],
    ["fetch-", createServiceBindingDispatcher({ binding: env.SIBLING, pipe: "fetch" })],
    ["http-", createHttpDispatcher({ url: env.STEP_HANDLER_URL, signingKey: env.STEP_HANDLER_KEY })],
  ];
  return {
    ...inline,
    start(start, port) {
      const [, found = inline] = pipes.find(([prefix]) => start.run.id.startsWith(prefix)) ?? [];
      return found.start(start, port);
    },
  };
}

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, {
      runDO: env.WORKFLOW_RUN_DO,
      runIndex: durableObjectIndex({ binding: env.RUN_INDEX_DO }),
      verifyRequest: () => true,
    }),
};

export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(state: DurableObjectState, env: Env) {
    const storage = crashingStorage({ storage: state.storage, abort: (reason) => state.abort(reason) });
    this.#deps = { storage, dispatcher: dispatcherOf(env), runDO: env.WORKFLOW_RUN_DO, sockets: state };
    // Some only: other tests look at what a run costs by itself.
    if (state.id.name?.startsWith("bucket-") === true) this.#deps = { ...this.#deps, bucket: env.PAYLOADS };
    if (state.id.name?.startsWith("indexed-") === true)
      this.#deps = { ...this.#deps, runIndex: durableObjectIndex({ binding: env.RUN_INDEX_DO }) };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  webSocketMessage(socket: WebSocket): Promise<void> {
    return handleDurableObjectWebSocketMessage(socket, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}

export class RunIndexDO {
  readonly #storage: DurableObjectStorage;

  constructor(state: DurableObjectState) {
    this.#storage = state.storage;
  }

  fetch(request: Request): Promise<Response> {
    return handleRunIndexRequest(request, { storage: this.#storage });
  }
}
