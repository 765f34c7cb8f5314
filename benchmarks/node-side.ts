/**
 * `node node-side.ts <key> <port>`: the Node process at the other end of the HTTP pipe.
 *
 * Owns: the step handler, and on the same server the other ends of the floors: `/floor` answers a `POST`, and each message of a
 * WebSocket, with the result of a step.
 */
import { serve } from "@hono/node-server";
import { createStepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import { WebSocketServer } from "ws";
import { answerOf, workflows } from "./workers/workflows.ts";

const [key = "", port = "0"] = process.argv.slice(2);
const audience = `http://127.0.0.1:${port}/holdfast`;
const handler = createStepHandler({ workflows, signingKeys: [key], audience });

async function answer(request: Request): Promise<Response> {
  if (new URL(request.url).pathname === "/floor") return new Response(answerOf(await request.text()));
  return handler(request);
}

const server = serve({ fetch: answer, port: Number(port), hostname: "127.0.0.1" }, () => process.send?.("serves"));
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
acceptConnections(server, handler);
server.on("upgrade", (request, socket, head) => {
  if (request.url !== "/floor") return;
  sockets.handleUpgrade(request, socket, head, (one) => {
    one.on("message", (text: Buffer) => one.send(answerOf(text.toString())));
  });
});
