/**
 * The part of the package `ws` that the Node adapter uses. It has no types of its own, and those of `@types/ws` need the
 * types of Node, which this package does not have.
 */
declare module "ws" {
  interface ServerSocket {
    send(text: string): void;
    close(code: number, reason: string): void;
    on(event: "message", listener: (data: { toString(): string }, isBinary: boolean) => void): this;
    on(event: "close" | "error", listener: () => void): this;
  }

  interface ServerOptions {
    readonly noServer: true;
    readonly clientTracking: false;
    readonly perMessageDeflate: false;
    readonly maxPayload: number;
  }

  export class WebSocketServer {
    constructor(options: ServerOptions);
    handleUpgrade(request: object, socket: object, head: object, upgraded: (socket: ServerSocket) => void): void;
  }
}
