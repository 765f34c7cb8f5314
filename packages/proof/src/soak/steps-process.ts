/**
 * `node steps-process.ts <port> <key> <recorder>`: a Node process of the soak test, which executes steps. It answers each
 * probe of its parent, unless a body blocks it, and ends gently on SIGTERM.
 */
import { serve } from "@hono/node-server";
import { createStepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import { STEPS_AUDIENCE, soakWorkflows } from "./workflows.ts";

const [port = "0", key = "", recorder = ""] = process.argv.slice(2);
const handler = createStepHandler({
  workflows: soakWorkflows(() => recorder),
  signingKeys: [key],
  // One proxy sends requests to both processes.
  audience: STEPS_AUDIENCE,
});
process.on("message", () => process.send?.("alive"));
process.on("disconnect", () => process.exit());
process.once("SIGTERM", () => void handler.drain().then(() => process.exit()));
const server = serve({ fetch: handler, port: Number(port), hostname: "127.0.0.1" }, () => process.send?.("ready"));
acceptConnections(server, handler);
