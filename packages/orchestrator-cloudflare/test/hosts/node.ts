/** Step handlers in Node: a plain server, and Hono. */
import { createServer } from "node:http";
import { getRequestListener, serve } from "@hono/node-server";
import type { StepHandler } from "@holdfast/workflows/handler";
import { acceptConnections } from "@holdfast/workflows/node";
import { Hono } from "hono";

interface Address {
  readonly port: number;
  readonly hostname: string;
}

export const hosts = {
  async node(handler: StepHandler, { port, hostname }: Address): Promise<() => void> {
    const listener = getRequestListener(handler);
    const server = createServer((request, response) => void listener(request, response));
    acceptConnections(server, handler);
    await new Promise<void>((resolve) => server.listen(port, hostname, resolve));
    return () => void server.close();
  },

  async "node-hono"(handler: StepHandler, address: Address): Promise<() => void> {
    const app = new Hono();
    app.all("/holdfast/*", (c) => handler(c.req.raw));
    const { promise: listens, resolve } = Promise.withResolvers<void>();
    const server = serve({ fetch: app.fetch, ...address }, () => resolve());
    acceptConnections(server, handler);
    await listens;
    return () => void server.close();
  },
};
