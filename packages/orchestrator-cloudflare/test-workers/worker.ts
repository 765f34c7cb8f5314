/**
 * The Worker that the real-workerd suite drives: the library as a user would wire it, with workflows made for testing.
 */
import {
  createInlineDispatcher,
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleWorkerRequest,
} from "../src/index.ts";
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
  readonly #state: DurableObjectState;

  constructor(state: DurableObjectState) {
    this.#state = state;
  }

  fetch(request: Request): Promise<Response> {
    return handleDurableObjectRequest(request, { storage: this.#state.storage, dispatcher });
  }

  alarm(): Promise<void> {
    return handleDurableObjectAlarm({ storage: this.#state.storage, dispatcher });
  }
}
