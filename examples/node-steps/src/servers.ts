/** Three ways to serve a step handler on Node. Each passes the request on unchanged, because its path and body are signed. */
import { createServer } from "node:http";
import { getRequestListener, serve } from "@hono/node-server";
import type { StepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import express from "express";
import { Hono } from "hono";

type Listen = (handler: StepHandler, port: number, ready: () => void) => void;

const HOST = "127.0.0.1";

export const servers: Readonly<Record<string, Listen>> = {
  node: (handler, port, ready) => {
    const listener = getRequestListener(handler);
    const server = createServer((request, response) => void listener(request, response));
    acceptConnections(server, handler);
    server.listen(port, HOST, ready);
  },

  hono: (handler, port, ready) => {
    const app = new Hono();
    app.all("/holdfast/*", (c) => handler(c.req.raw));
    acceptConnections(serve({ fetch: app.fetch, port, hostname: HOST }, ready), handler);
  },

  express: (handler, port, ready) => {
    const app = express();
    // Register the route before express.json(), which reads the body. Do not use app.use(), which shortens the path.
    app.all("/holdfast/{*rest}", getRequestListener(handler));
    acceptConnections(
      app.listen(port, HOST, () => ready()),
      handler,
    );
  },
};
