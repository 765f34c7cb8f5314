/** The orchestrator on Cloudflare. The workflows execute in a Node process, wherever STEPS_URL points. */
import {
  type DurableObjectNamespaceLike,
  type DurableObjectStorageLike,
  type RunObjectDeps,
  type StepDispatcher,
  bearerAuth,
  createHttpDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespaceLike;
  readonly API_TOKENS?: string;
  readonly AUTH?: string;
  readonly STEPS_URL: string;
  /** Shared with the Node process: `wrangler secret put STEPS_KEY`. */
  readonly STEPS_KEY: string;
}

const dispatcherOf = (env: Env): StepDispatcher =>
  createHttpDispatcher({ url: env.STEPS_URL, signingKey: env.STEPS_KEY });

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

  constructor(state: { readonly storage: DurableObjectStorageLike }, env: Env) {
    this.#deps = { storage: state.storage, dispatcher: dispatcherOf(env), runDO: env.WORKFLOW_RUN_DO };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}
