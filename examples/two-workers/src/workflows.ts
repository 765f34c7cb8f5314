/** The Worker with the workflows: deployed as often as you like, while runs are in flight. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { workflowsEntrypoint } from "@holdfast/workflows/handler";
import { greeting } from "./greeting.ts";

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows: [greeting] }) {}

export default { fetch: (): Response => new Response("Reached over a service binding only.", { status: 404 }) };
