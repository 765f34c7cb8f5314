/**
 * The sibling Worker of the real-workerd suite. It serves the catalogue over RPC and over plain fetch.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { makeCatalogue, workflowsOf } from "@holdfast/proof/catalogue";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import { gathers, timed } from "./large.ts";
import { oddWorkflows } from "./odd-values.ts";
import { sleepFor } from "./sleep.ts";
import { watch } from "./watched.ts";

const watched = watch(sleepFor);
const workflows = [
  ...workflowsOf(makeCatalogue({ sleep: sleepFor })),
  ...watched.workflows,
  gathers,
  timed,
  ...oddWorkflows,
];

const handler = createStepHandler({ workflows, signingKeys: "unsigned" });

export default { fetch: (request: Request) => watched.answer(request) ?? handler(request) };

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows }) {}
