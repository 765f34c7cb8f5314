/**
 * A Node process that serves the catalogue over HTTP: `node node-handler.ts <port> <key>`.
 */
import { serve } from "@hono/node-server";
import { makeCatalogue, workflowsOf } from "@holdfast/proof/catalogue";
import { type StepHandler, createStepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import { oddWorkflows } from "../test-workers/odd-values.ts";
import { sleepFor } from "../test-workers/sleep.ts";
import { watch } from "../test-workers/watched.ts";

const [port = "0", key = ""] = process.argv.slice(2);
const watched = watch(sleepFor);
const workflows = [...workflowsOf(makeCatalogue({ sleep: sleepFor })), ...watched.workflows, ...oddWorkflows];
let handler: StepHandler;
const fetchOrDie = (request: Request): Response | Promise<Response> => {
  // The suite kills this process without a shutdown, like a failing machine.
  if (new URL(request.url).pathname === "/kill") process.kill(process.pid, "SIGKILL");
  return watched.answer(request) ?? handler(request);
};
const server = serve({ fetch: fetchOrDie, port: Number(port), hostname: "127.0.0.1" }, ({ port: bound }) => {
  handler = createStepHandler({ workflows, signingKeys: [key], audience: `http://127.0.0.1:${bound}/holdfast` });
  acceptConnections(server, handler);
  process.send?.({ port: bound });
  console.log(`serves on ${bound}`);
});
