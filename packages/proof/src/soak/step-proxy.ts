/**
 * A proxy before the processes that execute steps. It sends each request, and each upgrade, to the next of them.
 *
 * Owns: the faults of a network between the two sides: an upgrade that it does not pass on, connections that break, and
 * connections that carry nothing any more although both ends are open.
 */
import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from "node:http";
import { type Socket, connect } from "node:net";

/** Both ends of a connection: the orchestrator's and the process's. */
interface Pair {
  readonly outer: Socket;
  readonly inner: Socket;
}

/** What happens to a connection: it breaks, for one side without a word, or it passes nothing more on and stays open. */
type Fault = "cut" | "silent";

export class StepProxy {
  /** What happened to upgrades, and to the connections that they made. */
  readonly counts = { connections: 0, refused: 0, cut: 0, silent: 0 };
  readonly #server: Server;
  readonly #next: () => number;
  readonly #pairs = new Set<Pair>();
  /** Upgrades that are refused next. */
  #refusing = 0;
  /** The faults of the next connections, each after so many pieces of data. */
  readonly #faults: { readonly fault: Fault; readonly pieces: number }[] = [];

  /** `next`: the port of the process that gets the next request. */
  private constructor(next: () => number) {
    this.#next = next;
    this.#server = createServer((incoming, outgoing) => this.#forward(incoming, outgoing));
    this.#server.on("upgrade", (incoming: IncomingMessage, outer: Socket, head: Buffer) =>
      this.#upgrade(incoming, outer, head),
    );
  }

  static async start(port: number, next: () => number): Promise<StepProxy> {
    const proxy = new StepProxy(next);
    proxy.#server.listen(port, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** Answers the next upgrade as a proxy without WebSockets does. */
  refuseNext(): void {
    this.#refusing += 1;
  }

  /** The next connections break so, one for each number, after so many pieces of data. */
  breakNext(fault: Fault, pieces: readonly number[]): void {
    this.#faults.push(...pieces.map((count) => ({ fault, pieces: count })));
  }

  end(): void {
    for (const { outer, inner } of this.#pairs) [outer, inner].forEach((socket) => socket.destroy());
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #upgrade({ method, url, rawHeaders }: IncomingMessage, outer: Socket, head: Buffer): void {
    if (this.#refusing > 0) {
      this.#refusing -= 1;
      this.counts.refused += 1;
      outer.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const inner = connect(this.#next(), "127.0.0.1");
    const pair = { outer, inner };
    this.#pairs.add(pair);
    this.counts.connections += 1;
    const end = (): void => {
      this.#pairs.delete(pair);
      outer.destroy();
      inner.destroy();
    };
    for (const socket of [outer, inner]) socket.on("error", end).on("close", end);
    const headers = Array.from(
      { length: rawHeaders.length / 2 },
      (_, i) => `${rawHeaders[2 * i]}: ${rawHeaders[2 * i + 1]}`,
    );
    inner.write(`${method} ${url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
    inner.write(head);
    inner.pipe(outer);
    outer.pipe(inner);
    const next = this.#faults.shift();
    if (next !== undefined) this.#breakAfter(pair, next.pieces, next.fault);
  }

  #breakAfter(pair: Pair, pieces: number, fault: Fault): void {
    let passed = 0;
    const count = (): void => {
      passed += 1;
      if (passed === pieces) setImmediate(() => this.#break(pair, fault));
    };
    pair.outer.on("data", count);
    pair.inner.on("data", count);
  }

  #break({ outer, inner }: Pair, fault: Fault): void {
    this.counts[fault] += 1;
    if (fault === "cut") {
      outer.resetAndDestroy();
      inner.destroy();
    } else {
      outer.unpipe(inner).resume();
      inner.unpipe(outer).resume();
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url, headers } = incoming;
    const upstream = request({ host: "127.0.0.1", port: this.#next(), method, path: url, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
      response.on("error", () => outgoing.destroy());
    });
    upstream.on("error", () => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  }
}
