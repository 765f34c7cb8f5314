/** The Node service: executes the workflows for an orchestrator that has the same key. */
import { serve } from "@hono/node-server";
import { createStepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import { order } from "./order.ts";

const port = Number(process.env["PORT"] ?? 8788);

/** The address by which the orchestrator calls this service. A request that is signed for another one is refused. */
const url = process.env["STEPS_URL"] ?? `http://127.0.0.1:${port}/holdfast`;

const handler = createStepHandler({
  workflows: [order],
  signingKeys: [process.env["STEP_SIGNING_KEY"] ?? ""],
  audience: url,
});

const server = serve({ fetch: handler, port, hostname: process.env["HOST"] ?? "127.0.0.1" }, () => {
  console.log(`serving workflows at ${url}`);
});
acceptConnections(server, handler); // makes steps faster: they come over one WebSocket of each busy run
