/** Step handlers in Bun: `Bun.serve`, and Hono. */
import { acceptConnections } from "@holdfast/workflows/bun";
import type { StepHandler } from "@holdfast/workflows/handler";
import { Hono } from "hono";

interface Address {
  readonly port: number;
  readonly hostname: string;
}

declare const Bun: { serve(options: object): { stop(): Promise<void> } };

export const hosts = {
  bun(handler: StepHandler, address: Address): () => Promise<void> {
    const server = Bun.serve({ ...address, ...acceptConnections(handler) });
    return () => server.stop();
  },

  "bun-hono"(handler: StepHandler, address: Address): () => Promise<void> {
    const { fetch, websocket } = acceptConnections(handler);
    const app = new Hono<{ Bindings: Parameters<typeof fetch>[1] }>();
    app.all("/holdfast/*", (c) => fetch(c.req.raw, c.env));
    const server = Bun.serve({ ...address, fetch: app.fetch, websocket });
    return () => server.stop();
  },
};
