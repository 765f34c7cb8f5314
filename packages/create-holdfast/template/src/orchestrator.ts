/** The API and the runs, in a Worker. It calls the Node service of server.ts, which executes the workflows. */
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

interface Env {
  /** The address of the Node service. */
  readonly STEPS_URL: string;
  /** The key that both sides have. */
  readonly STEP_SIGNING_KEY: string;
}

const app = holdfast({
  dispatcher: (env: Env) => createHttpDispatcher({ url: env.STEPS_URL, signingKey: env.STEP_SIGNING_KEY }),
});

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
