/**
 * Connections to a step handler in Deno: `Deno.upgradeWebSocket`.
 *
 * Owns: the boundary to Deno's sockets. The step handler decides about each upgrade.
 */
import type { HostConnection } from "../handler/connections.ts";
import type { StepHandler } from "../handler/step-handler.ts";
import { isUpgrade } from "../handler/upgrades.ts";

/** The part of Deno's `WebSocket` that a connection uses. */
interface DenoSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** The part of the namespace `Deno` that this module uses. */
interface DenoNamespace {
  upgradeWebSocket(request: Request): { readonly socket: DenoSocket; readonly response: Response };
}

/**
 * Lets a step handler accept connections of an orchestrator: a step then costs two frames instead of a request (PIPE1).
 * `Deno.serve({ port }, acceptConnections(handler))`. With Hono: `app.all("/holdfast/*", (c) => serve(c.req.raw))`.
 */
export function acceptConnections(handler: StepHandler): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isUpgrade(request)) return handler(request);
    const reply = await handler.connect(request);
    if (reply instanceof Response) return reply;
    const { Deno } = globalThis as unknown as { readonly Deno: DenoNamespace };
    const { socket, response } = Deno.upgradeWebSocket(request);
    let connection: HostConnection | undefined;
    socket.addEventListener("open", () => {
      connection = reply(socket);
    });
    socket.addEventListener("message", ({ data }) => connection?.onMessage(data));
    socket.addEventListener("close", () => connection?.onClose());
    socket.addEventListener("error", () => connection?.onClose());
    return response;
  };
}
