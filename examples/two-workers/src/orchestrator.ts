/** The orchestrator: the API and the runs. The workflows are in the Worker of the service binding. */
import { type RpcBinding, createServiceBindingDispatcher } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

interface Env {
  readonly WORKFLOWS: RpcBinding;
}

const app = holdfast({ dispatcher: (env: Env) => createServiceBindingDispatcher({ binding: env.WORKFLOWS }) });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
