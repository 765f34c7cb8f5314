/** The sibling Worker of the soak test: serves the workflows over RPC and over plain fetch. */
import { WorkerEntrypoint, env as environment } from "cloudflare:workers";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import { soakWorkflows } from "../workflows.ts";

const workflows = soakWorkflows(() => (environment as unknown as { RECORDER_URL: string }).RECORDER_URL);

export default { fetch: createStepHandler({ workflows, signingKeys: "unsigned" }) };

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows }) {}
