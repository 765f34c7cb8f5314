/**
 * The sibling Worker of the real-workerd suite: the catalogue, over RPC and over plain fetch.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { makeCatalogue, workflowsOf } from "@holdfast/testing/catalogue";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import { sleepFor } from "./sleep.ts";

const workflows = workflowsOf(makeCatalogue({ sleep: sleepFor }));

const handler = createStepHandler({ workflows, signingKeys: "unsigned" });

export default { fetch: handler };

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows }) {}
