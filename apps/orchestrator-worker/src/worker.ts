/**
 * The deployable Worker: the API, one Durable Object per run, and the workflows.
 *
 * Add your own workflows to the list. docs/reference/configuration.md describes the bindings and variables. The API is
 * closed by default: without the secret API_TOKENS every API route answers `503 auth_not_configured` (SEC1).
 */
import { order } from "@holdfast/example-order";
import { review } from "@holdfast/example-order/review";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

const app = holdfast({ workflows: [order, review] });

export default app.worker;

export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app;
