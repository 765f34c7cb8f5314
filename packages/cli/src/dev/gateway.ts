/**
 * The address of the local server, which stays the same while workerd restarts.
 *
 * Owns: the connections of callers. A request that arrives while no workerd serves waits for the next one; a request that
 * a workerd took with it is answered 503, and one whose body a workerd does not read to its end 413. Requests and answers pass unchanged, as streams;
 * those below /ui are answered here.
 */
import {
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from "node:http";
import { type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";
import { answersDashboard } from "./dashboard.ts";

/** How long a request waits for a workerd, ms. */
const HOLD_MS = 10_000;

/** Headers of one connection. The next connection has its own. */
const OF_CONNECTION = new Set(["connection", "keep-alive"]);

export class Gateway {
  readonly server: Server;
  #port: number | undefined;
  #refusal: string | undefined;
  readonly #waiting = new Set<() => void>();

  /** `dashboard`: whether requests below /ui are answered here, or by workerd as all others. */
  constructor({ dashboard = true }: { readonly dashboard?: boolean } = {}) {
    // A request may last as long as a follower reads.
    this.server = createServer({ requestTimeout: 0 }, (request, response) => {
      if (!dashboard || !answersDashboard(request, response)) void this.#serve(request, response);
    });
    this.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#tunnel(request, socket, head);
    });
  }

  /** Sends requests to this port, also those that wait. */
  open(port: number): void {
    this.#port = port;
    this.#refusal = undefined;
    this.#wake();
  }

  /** Lets requests wait for the next workerd. */
  hold(): void {
    this.#port = undefined;
  }

  /** Answers requests with this message while there is nothing to serve. */
  refuse(message: string): void {
    this.#refusal = message;
    this.#wake();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const socket = await this.#connect();
    const port = socket?.remotePort ?? 0;
    // The caller may have gone away while it waited.
    if (response.destroyed) return void socket?.destroy();
    if (socket === undefined)
      return answer(response, this.#refusal ?? "workerd does not serve; the terminal of holdfast dev says why.");
    const { method, url: path } = request;
    const headers = [...withoutConnection(request.rawHeaders), "Connection", "close"];
    const forwarded = httpRequest({ createConnection: () => socket, method, path, headers, setHost: false });
    let answered: IncomingMessage | undefined;
    forwarded.on("response", (reply) => {
      answered = reply;
      response.writeHead(reply.statusCode ?? 502, reply.statusMessage, withoutConnection(reply.rawHeaders));
      response.flushHeaders();
      reply.pipe(response);
      reply.on("error", () => response.destroy());
      // The rest of a body that the server does not want is read, so that the caller reads the answer.
      reply.on("end", () => request.unpipe(forwarded).resume());
    });
    forwarded.on("error", () => {
      if (response.headersSent) return void (answered?.complete === true || response.destroy());
      void this.#answerBroken(request, response, port);
    });
    response.on("close", () => forwarded.destroy());
    request.on("error", () => forwarded.destroy());
    request.pipe(forwarded);
  }

  /**
   * Answers a request that ended without an answer of workerd. workerd answers and closes before it has read a body that is too
   * large, or that it does not want; what it answered is lost then, and the same request would end in the same way.
   */
  async #answerBroken(request: IncomingMessage, response: ServerResponse, port: number): Promise<void> {
    const again = isLarge(request) && this.#port === port ? await connected(port) : undefined;
    request.resume();
    if (again === undefined) {
      return answer(response, "workerd restarted while it served this request. Repeat the request with the same ids.");
    }
    again.destroy();
    answer(
      response,
      "workerd did not read the body of this request to its end: it is too large, or the request is refused without it.",
      { status: 413, error: "body_too_large" },
    );
  }

  async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on("error", () => client.destroy());
    const socket = await this.#connect();
    if (client.destroyed) return void socket?.destroy();
    if (socket === undefined) return void client.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
    const lines = [
      `${request.method} ${request.url} HTTP/1.1`,
      ...pairs(request.rawHeaders).map((pair) => pair.join(": ")),
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    socket.write(head);
    socket.on("error", () => client.destroy());
    socket.on("close", () => client.destroy());
    client.on("close", () => socket.destroy());
    socket.pipe(client);
    client.pipe(socket);
  }

  /** Returns a connection to workerd; `undefined` if there is none in time. */
  async #connect(): Promise<Socket | undefined> {
    const end = Date.now() + HOLD_MS;
    for (;;) {
      const port = await this.#nextPort(end);
      if (port === undefined) return undefined;
      const socket = await connected(port);
      if (socket !== undefined) return socket;
      // That workerd is gone: this process learns of it in a moment.
      if (this.#port === port) this.#port = undefined;
    }
  }

  async #nextPort(end: number): Promise<number | undefined> {
    while (this.#port === undefined && this.#refusal === undefined && Date.now() < end) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, end - Date.now());
        this.#waiting.add(done);
      });
    }
    return this.#port;
  }
}

function connected(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

/** Whether workerd may close before it has read the body: it reads this much after its answer. */
function isLarge({ headers }: IncomingMessage): boolean {
  return Number(headers["content-length"] ?? 0) > 65_536 || headers["transfer-encoding"] !== undefined;
}

const NOT_SERVING = { status: 503, error: "dev_not_serving" };

function answer(response: ServerResponse, message: string, { status, error } = NOT_SERVING): void {
  const retry = status === NOT_SERVING.status ? { "Retry-After": "1" } : {};
  response.writeHead(status, { "Content-Type": "application/json", ...retry });
  response.end(`${JSON.stringify({ error, message })}\n`);
}

function withoutConnection(rawHeaders: readonly string[]): string[] {
  return pairs(rawHeaders)
    .filter(([name]) => !OF_CONNECTION.has(name.toLowerCase()))
    .flat();
}

function pairs(rawHeaders: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_none, n) => [
    rawHeaders[2 * n] ?? "",
    rawHeaders[2 * n + 1] ?? "",
  ]);
}
