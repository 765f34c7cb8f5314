/** A Worker whose workflow code is in a Node process: STEPS_URL. */
import { env as environment } from "cloudflare:workers";
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

const { STEPS_URL: url, STEPS_KEY: signingKey } = environment as unknown as Record<"STEPS_URL" | "STEPS_KEY", string>;

const app = holdfast({
  dispatcher: createHttpDispatcher({ url, signingKey }),
  deps: () => ({ verifyRequest: () => true, telemetry: {} }),
});

export default app.worker;

export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
