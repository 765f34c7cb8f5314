/** The platform's Worker: the API and the runs of all tenants. */
import {
  type FetcherLike,
  type RunObjectDeps,
  type StepDispatcher,
  bearerAuth,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";
import { type DispatchNamespaceLike, createTenantDispatcher } from "./tenant-dispatcher.ts";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  readonly API_TOKENS?: string;
  readonly AUTH?: string;
  /** The dispatch namespace. Locally there is none: a service binding for each tenant stands in for it. */
  readonly TENANTS?: DispatchNamespaceLike;
  readonly [binding: `TENANT_${string}`]: FetcherLike;
}

const dispatcherOf = (env: Env): StepDispatcher =>
  createTenantDispatcher(env.TENANTS ?? { get: (name) => env[`TENANT_${name}`] });

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
