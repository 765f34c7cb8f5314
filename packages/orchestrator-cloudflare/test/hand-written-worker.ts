/** A Worker and the class of a run's object, written by hand. The README of the package shows the same code. */
import {
  type DurableObjectNamespaceLike,
  type RunObjectDeps,
  bearerAuth,
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "@holdfast/orchestrator-cloudflare";
import { workflow } from "@holdfast/workflows";

interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespaceLike;
  readonly API_TOKENS: string;
}

const hello = workflow({ id: "hello", run: (_input, ctx) => ctx.step("greet", () => "hello") });
const dispatcher = createInlineDispatcher({ workflows: [hello] });

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, () => ({
      runDO: env.WORKFLOW_RUN_DO,
      verifyRequest: bearerAuth(env.API_TOKENS),
    })),
};

export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(ctx: Pick<RunObjectDeps, "storage">, env: Env) {
    this.#deps = { storage: ctx.storage, dispatcher, runDO: env.WORKFLOW_RUN_DO };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}
