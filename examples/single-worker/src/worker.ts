/** The API, the runs and the workflows in one Worker. This is the fastest pipe: a step takes microseconds. */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { greeting } from "./greeting.ts";

const app = holdfast({ workflows: [greeting] });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
