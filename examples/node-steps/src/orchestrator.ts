/** The orchestrator on Cloudflare. The workflows execute in a Node process at STEPS_URL. */
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

interface Env {
  readonly STEPS_URL: string;
  /** Shared with the Node process: `wrangler secret put STEPS_KEY`. */
  readonly STEPS_KEY: string;
}

const app = holdfast({
  dispatcher: (env: Env) => createHttpDispatcher({ url: env.STEPS_URL, signingKey: env.STEPS_KEY }),
});

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
