/**
 * The deployable Worker: the API, one Durable Object per run, and the workflows, all in one.
 *
 * Owns: bindings and authentication. Closed by default: without the secret API_TOKENS every API route answers
 * `503 auth_not_configured`; local development sets AUTH to "off" (SEC1).
 */
import { order } from "@holdfast/example-order";
import {
  type RunObjectDeps,
  type VerifyRequest,
  bearerAuth,
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
  /** Tokens that may call the API, separated by commas. */
  readonly API_TOKENS?: string;
  /** "off" opens the API to everybody who can reach it. For local development only. */
  readonly AUTH?: string;
  /** What runs are marked with. */
  readonly ENVIRONMENT?: string;
}

const dispatcher = createInlineDispatcher({ workflows: [order] });

let toldOpen = false;

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, {
      runDO: env.WORKFLOW_RUN_DO,
      verifyRequest: verifierOf(env),
      environment: env.ENVIRONMENT,
    }),
};

/** One object per run. */
export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(state: DurableObjectState, env: Env) {
    this.#deps = { storage: state.storage, dispatcher, runDO: env.WORKFLOW_RUN_DO };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}

function verifierOf(env: Env): VerifyRequest {
  if (env.AUTH !== "off") return bearerAuth(env.API_TOKENS);
  if (!toldOpen) console.warn("holdfast: AUTH is off. Everybody who can reach this address can use the API.");
  toldOpen = true;
  return () => true;
}
