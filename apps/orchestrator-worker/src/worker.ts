/**
 * The deployable Worker: the API, one Durable Object for each run, and the workflows, all in one.
 *
 * Put workflows of your own into the list. Bindings and variables: docs/operations.md. Closed by default: without the secret
 * API_TOKENS every API route answers `503 auth_not_configured` (SEC1).
 */
import { order } from "@holdfast/example-order";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";

const app = holdfast({ workflows: [order] });

export default app.worker;

export const { WorkflowRunDO, RunIndexDO } = app;
