/**
 * The Node process at the other end of the HTTP pipe: `node node-side.ts <key>`, forked.
 *
 * Owns: the step handler, and beside it what the floor of HTTP asks: the same server, which answers with what it was sent.
 */
import { serve } from "@hono/node-server";
import { createStepHandler } from "@holdfast/workflows/handler";
import { workflows } from "./workers/workflows.ts";

const handler = createStepHandler({ workflows, signingKeys: [process.argv[2] ?? ""] });

async function answer(request: Request): Promise<Response> {
  if (new URL(request.url).pathname === "/floor") return new Response(await request.text());
  return handler(request);
}

serve({ fetch: answer, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send?.({ port }));
