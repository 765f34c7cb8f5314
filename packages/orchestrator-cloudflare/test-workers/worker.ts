/**
 * The Worker that the real-workerd suite drives: the library as a user would wire it, with workflows made for testing.
 */
import {
  type RunObjectDeps,
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "../src/index.ts";
import { crashingStorage } from "./crashing-storage.ts";
import { workflows } from "./workflows.ts";

export interface Env {
  readonly WORKFLOW_RUN_DO: DurableObjectNamespace;
}

const dispatcher = createInlineDispatcher({ workflows });

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    handleWorkerRequest(request, { runDO: env.WORKFLOW_RUN_DO, verifyRequest: () => true }),
};

export class WorkflowRunDO {
  readonly #deps: RunObjectDeps;

  constructor(state: DurableObjectState, env: Env) {
    const storage = crashingStorage({ storage: state.storage, abort: (reason) => state.abort(reason) });
    this.#deps = { storage, dispatcher, runDO: env.WORKFLOW_RUN_DO };
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, this.#deps);
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm(this.#deps);
  }
}
