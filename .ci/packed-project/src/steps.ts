/** Workflows served from Node. */
import { createServer } from "node:http";
import { createStepHandler } from "@holdfast/workflows/handler";
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { order } from "./order.js";

export const handler: (request: Request) => Promise<Response> = createStepHandler({
  workflows: [order],
  signingKeys: ["0".repeat(64)],
});
export const dispatcher = createHttpDispatcher({ url: "http://127.0.0.1:8788/holdfast", signingKey: "0".repeat(64) });
export const server = createServer();
