/** The orchestrator: the API and the runs. It holds no workflow; those live in the Worker that the service binding names. */
import { type RpcBinding, createServiceBindingDispatcher } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

interface Env {
  readonly WORKFLOWS: RpcBinding;
}

const app = holdfast({ dispatcher: (env: Env) => createServiceBindingDispatcher({ binding: env.WORKFLOWS }) });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO } = app;
