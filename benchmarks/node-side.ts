/**
 * `node node-side.ts <key>`: the Node process at the other end of the HTTP pipe.
 *
 * Owns: the step handler, and the echo route `/floor` on the same server for the floor of HTTP.
 */
import { serve } from "@hono/node-server";
import { type StepHandler, createStepHandler } from "@holdfast/workflows/handler";
import { workflows } from "./workers/workflows.ts";

let handler: StepHandler;

async function answer(request: Request): Promise<Response> {
  if (new URL(request.url).pathname === "/floor") return new Response(await request.text());
  return handler(request);
}

serve({ fetch: answer, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  const audience = `http://127.0.0.1:${port}/holdfast`;
  handler = createStepHandler({ workflows, signingKeys: [process.argv[2] ?? ""], audience });
  process.send?.({ port });
});
