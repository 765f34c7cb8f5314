/** The API, the runs and the workflows of the gallery in one Worker. */
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { journey, visa } from "./journey.ts";

const app = holdfast({ workflows: [journey, visa] });

export default app.worker;
export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
