import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { order } from "./order.js";

const app = holdfast({ workflows: [order] });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
