/**
 * Opens connections from an object to a step handler: an outgoing WebSocket of workerd.
 *
 * Owns: the signed upgrade (SEC3), and the boundary to the platform's socket.
 */
import { MAC_QUERY, type FrameSocket, SIGNATURE_HEADER, frameKey, needsMac } from "@holdfast/protocol/transport";
import type { OpenConnection } from "./connected-turns.ts";
import { SESSION_HEADER, type TurnPipe, signed } from "./turn-transport.ts";

/** The socket in a response of status 101. Only workerd has it. */
interface PlatformSocket extends FrameSocket {
  accept(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
}

/** The code of a socket that closed without a close frame. */
const ABNORMAL = 1006;

export function openOver(pipe: TurnPipe & { readonly key: string }): OpenConnection {
  const withMac = needsMac(new URL(pipe.url));
  return async (session, events, signal) => {
    const route = withMac ? `connect?${MAC_QUERY}` : "connect";
    const request = await signed(pipe, route, undefined, { Upgrade: "websocket", [SESSION_HEADER]: session });
    const signature = request.headers.get(SIGNATURE_HEADER) ?? "";
    const key = withMac ? await frameKey(pipe.key, signature) : undefined;
    const response = await pipe.fetch(new Request(request, { signal }));
    // A cast: the standard type has no socket.
    const { webSocket: socket } = response as { readonly webSocket?: PlatformSocket | null };
    if (response.status !== 101 || !socket) {
      void response.body?.cancel().catch(() => {});
      return "refused";
    }
    socket.addEventListener("message", ({ data }) => events.message(data));
    socket.addEventListener("close", ({ code }) => events.closed(code !== ABNORMAL));
    socket.addEventListener("error", () => events.closed(false));
    socket.accept();
    return { socket, key };
  };
}
