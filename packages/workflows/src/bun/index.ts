/**
 * Connections to a step handler in Bun: the WebSockets of `Bun.serve`.
 *
 * Owns: the boundary to Bun's sockets. The step handler decides about each upgrade.
 */
import type { AcceptConnection, HostConnection } from "../handler/connections.ts";
import type { StepHandler } from "../handler/step-handler.ts";
import { FRAME_BYTES_MAX, isUpgrade } from "../handler/upgrades.ts";

/** The second argument of `fetch` of `Bun.serve`: the part that upgrades. */
export interface BunServer {
  upgrade(request: Request, options: { readonly data: ConnectionData }): boolean;
}

/** What a socket of a connection carries as `data`. */
export interface ConnectionData {
  /** Absent: the socket is one of the application. */
  readonly holdfast?: { readonly accept: AcceptConnection; connection?: HostConnection } | undefined;
}

/** A part of Bun's `ServerWebSocket`. */
export interface BunSocket {
  readonly data: ConnectionData;
  send(text: string): number;
  close(code: number, reason: string): void;
}

/** The fields of `Bun.serve` that this module makes. */
export interface BunConnections {
  /** Serves turns, and upgrades requests for connections. */
  readonly fetch: (request: Request, server: BunServer) => Promise<Response>;
  readonly websocket: {
    open(socket: BunSocket): void;
    message(socket: BunSocket, message: unknown): void;
    close(socket: BunSocket): void;
    readonly maxPayloadLength: number;
    readonly backpressureLimit: number;
  };
}

/**
 * Lets a step handler accept connections of an orchestrator: a step then costs two frames instead of a request (PIPE1).
 * `Bun.serve({ port, ...acceptConnections(handler) })`. With Hono: `app.all("/holdfast/*", (c) => fetch(c.req.raw, c.env))`
 * and `Bun.serve({ fetch: app.fetch, websocket })`. The handlers of `websocket` ignore sockets without `data.holdfast`.
 */
export function acceptConnections(handler: StepHandler): BunConnections {
  return {
    async fetch(request, server) {
      if (!isUpgrade(request)) return handler(request);
      const reply = await handler.connect(request);
      if (reply instanceof Response) return reply;
      // Bun sends no answer after an upgrade.
      if (server.upgrade(request, { data: { holdfast: { accept: reply } } })) return new Response(null);
      return new Response("The request is no upgrade to a WebSocket.", { status: 426 });
    },
    websocket: {
      open(socket) {
        const { holdfast } = socket.data;
        if (holdfast !== undefined) holdfast.connection = holdfast.accept(checked(socket));
      },
      message: ({ data }, message) => data.holdfast?.connection?.onMessage(message),
      close: ({ data }) => data.holdfast?.connection?.onClose(),
      maxPayloadLength: FRAME_BYTES_MAX,
      // Bun drops what is beyond. Each side waits for an answer, so there are a few frames at most.
      backpressureLimit: 4 * FRAME_BYTES_MAX,
    },
  };
}

/** A socket whose frames arrive, or which says that it is broken. */
function checked(socket: BunSocket): Pick<BunSocket, "close"> & { send(text: string): void } {
  return {
    send(text) {
      if (socket.send(text) === 0) throw new Error("the socket does not send");
    },
    close: (code, reason) => socket.close(code, reason),
  };
}
