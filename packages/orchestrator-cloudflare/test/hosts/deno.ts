/** Step handlers in Deno: `Deno.serve`, and Hono. */
import { acceptConnections } from "@holdfast/workflows/deno";
import type { StepHandler } from "@holdfast/workflows/handler";
import { Hono } from "hono";

interface Address {
  readonly port: number;
  readonly hostname: string;
}

type Serve = (
  options: object,
  fetch: (request: Request) => Response | Promise<Response>,
) => { shutdown(): Promise<void> };

declare const Deno: { readonly serve: Serve };

export const hosts = {
  deno(handler: StepHandler, address: Address): () => Promise<void> {
    const server = Deno.serve({ ...address, onListen: () => {} }, acceptConnections(handler));
    return () => server.shutdown();
  },

  "deno-hono"(handler: StepHandler, address: Address): () => Promise<void> {
    const serve = acceptConnections(handler);
    const app = new Hono();
    app.all("/holdfast/*", (c) => serve(c.req.raw));
    const server = Deno.serve({ ...address, onListen: () => {} }, (request) => app.fetch(request));
    return () => server.shutdown();
  },
};
