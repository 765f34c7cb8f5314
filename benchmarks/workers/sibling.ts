/**
 * The sibling Worker: serves the measured workflows over RPC and over plain fetch, and the other ends of the floors.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { createStepHandler, workflowsEntrypoint } from "@holdfast/workflows/handler";
import { answerOf, resultOf, workflows } from "./workflows.ts";

const handler = createStepHandler({ workflows, signingKeys: "unsigned" });

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/floor") return new Response(answerOf(await request.text()));
    return handler(request);
  },
};

export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows }) {}

/** The floor of RPC: calls back `n` times, sequentially. */
export class Floor extends WorkerEntrypoint {
  async callBack(n: number, chars: number, put: (row: unknown) => Promise<void>): Promise<void> {
    for (let i = 0; i < n; i++) await put(resultOf(i, chars));
  }
}
