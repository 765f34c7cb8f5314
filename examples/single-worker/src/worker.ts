/** Everything in one Worker: the API, the runs, and the workflows. The fastest pipe: a step costs microseconds. */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { greeting } from "./greeting.ts";

const app = holdfast({ workflows: [greeting] });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO } = app;
