/** The Worker with the workflows. It can be deployed while runs are in flight. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { workflowsEntrypoint } from "@holdfast/workflows/handler";
import { greeting } from "./greeting.ts";

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows: [greeting] }) {}

export default {
  fetch: (): Response => new Response("This Worker is reachable only over a service binding.", { status: 404 }),
};
