/**
 * Connections to a step handler in Node: the upgrades of a `node:http` server, with the package `ws`.
 *
 * Owns: reading an upgrade as a `Request`, and the refusal as a response on the bare socket. The step handler decides.
 */
// oxlint-disable-next-line typescript/triple-slash-reference -- programs that compile this file need the types of ws
/// <reference path="./ws.d.ts" />
import { HoldfastError } from "@holdfast/protocol";
import { WebSocketServer } from "ws";
import type { StepHandler } from "../handler/step-handler.ts";
import { FRAME_BYTES_MAX, isUpgradeOfOrchestrator } from "../handler/upgrades.ts";

/** The request of an upgrade: a part of `IncomingMessage`. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The bare socket of an upgrade: a part of `Duplex`. */
export interface UpgradeSocket {
  on(event: "error", listener: () => void): unknown;
  end(text: string, written: () => void): unknown;
  destroy(): unknown;
}

/** A server of `node:http` or `node:https`, or one that has its events. */
export interface UpgradeServer {
  on(
    event: "upgrade",
    listener: (request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array<ArrayBuffer>) => void,
  ): unknown;
  listenerCount(event: "upgrade"): number;
}

/** Servers whose connections one step handler has. An upgrade does not say which of several handlers serves its path. */
const servers = new WeakSet<UpgradeServer>();

const SECOND_HANDLER =
  "acceptConnections: another step handler accepts the connections of this server. Serve the workflows of both with one step handler, or let the second one get its turns as requests: leave this call out.";

const NO_UPGRADE =
  "This server upgrades only the connections of an orchestrator. Send the request without the header Upgrade.";

/**
 * Lets a step handler accept connections of an orchestrator on this server: a step then costs two frames instead of a
 * request (PIPE1). Without this call, and for runs beyond `connectionsMax`, turns come as requests. Other listeners of
 * `upgrade` keep the upgrades of other paths. Without one, a request with the header `Upgrade` is answered 404.
 *
 * `acceptConnections(server, handler)`, where `server` is what `http.createServer`, `serve` of `@hono/node-server`, or
 * `listen` of Express returns.
 * @throws HoldfastError `INVALID_ARGUMENT` for a second handler of one server.
 */
export function acceptConnections(server: UpgradeServer, handler: StepHandler): void {
  if (servers.has(server)) throw new HoldfastError("INVALID_ARGUMENT", SECOND_HANDLER);
  servers.add(server);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
  });
  server.on("upgrade", (request, socket, head) => {
    const isOther = !isOurs(request);
    if (isOther && server.listenerCount("upgrade") > 1) return;
    // The server has removed its own listener: without one, a connection that breaks would end the process.
    socket.on("error", () => socket.destroy());
    if (isOther) return refuse(socket, 404, JSON.stringify({ error: "not_found", message: NO_UPGRADE }));
    answer(request).catch((error: unknown) => {
      console.error("holdfast: an upgrade to a connection failed", error);
      refuse(socket, 500, "");
    });
    async function answer(given: UpgradeRequest): Promise<void> {
      const reply = await handler.connect(asRequest(given));
      if (reply instanceof Response) return refuse(socket, reply.status, await reply.text());
      sockets.handleUpgrade(request, socket, head, (upgraded) => {
        const connection = reply(upgraded);
        // Text is a buffer here. No frame is binary.
        upgraded.on("message", (data, isBinary) => connection.onMessage(isBinary ? undefined : data.toString()));
        upgraded.on("close", () => connection.onClose());
        upgraded.on("error", () => connection.onClose());
      });
    }
  });
}

function isOurs({ url = "", headers }: UpgradeRequest): boolean {
  return isUpgradeOfOrchestrator(url, (name) => headers[name.toLowerCase()]);
}

/** The request as far as the step handler reads it. */
function asRequest({ method = "GET", url = "", headers }: UpgradeRequest): Request {
  const ours = Object.entries(headers).filter(
    (one): one is [string, string] => one[0].startsWith("holdfast-") && typeof one[1] === "string",
  );
  return new Request(new URL(`http://step-handler.internal${url}`), { method, headers: Object.fromEntries(ours) });
}

/** The server no longer watches the socket, and a client may never end its side: it is destroyed after the answer. */
function refuse(socket: UpgradeSocket, status: number, body: string): void {
  const bytes = new TextEncoder().encode(body).byteLength;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
