/** Everything in one Worker: the API, the runs, and the workflows. The fastest pipe: a step costs microseconds. */
import {
  type RunObjectDeps,
  type StepDispatcher,
  bearerAuth,
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";
import { greeting } from "./greeting.ts";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  readonly API_TOKENS?: string;
  readonly AUTH?: string;
}

const dispatcher = createInlineDispatcher({ workflows: [greeting] });

const dispatcherOf = (_env: Env): StepDispatcher => dispatcher;

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
