/** The API, the runs and the workflows, in one Worker. */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { order } from "./order.ts";

const app = holdfast({ workflows: [order] });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
