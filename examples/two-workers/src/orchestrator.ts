/** The orchestrator: the API and the runs. It holds no workflow; those live behind the service binding. */
import {
  type RpcBindingLike,
  type RunObjectDeps,
  type StepDispatcher,
  bearerAuth,
  createServiceBindingDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  readonly API_TOKENS?: string;
  readonly AUTH?: string;
  readonly WORKFLOWS: RpcBindingLike;
}

const dispatcherOf = (env: Env): StepDispatcher => createServiceBindingDispatcher({ binding: env.WORKFLOWS });

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, {
      runDO: env.WORKFLOW_RUN_DO,
      verifyRequest: env.AUTH === "off" ? () => true : bearerAuth(env.API_TOKENS),
    }),
};

/** One object per run. */
export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(state: DurableObjectState, env: Env) {
    this.#deps = { storage: state.storage, dispatcher: dispatcherOf(env), runDO: env.WORKFLOW_RUN_DO };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}
