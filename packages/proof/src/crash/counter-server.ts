/**
 * The outside world of the demo: a server that step bodies tell when they start and end.
 *
 * Owns: the count. It lives in this process, not in workerd, so a kill cannot make it forget, and the engine cannot
 * flatter it. `POST /STEP/start` and `POST /STEP/end`; a path before them keeps the counts of several runs apart.
 */
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "@holdfast/cli/until";

type Edge = "start" | "end";

/** A step body started or ended. */
export interface Hit {
  readonly scope: string;
  readonly step: string;
  readonly edge: Edge;
  /** How often now. */
  readonly count: number;
  /** What the body was given as its idempotency key. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export class CounterServer {
  readonly url: string;
  /** Called at each hit. */
  onHit: (hit: Hit) => void = () => {};
  readonly #server: Server;
  readonly #hits = new Map<string, Hit[]>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      const key = decodeURIComponent(String(request.headers["idempotency-key"] ?? ""));
      const taken = request.method === "POST" && this.#take(request.url ?? "", key);
      request.resume();
      response.writeHead(taken ? 204 : 404).end();
    });
  }

  static async start(): Promise<CounterServer> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CounterServer(server);
  }

  hits(step: string, edge: Edge, scope = ""): readonly Hit[] {
    return this.#hits.get(`${scope}/${step}/${edge}`) ?? [];
  }

  count(step: string, edge: Edge, scope = ""): number {
    return this.hits(step, edge, scope).length;
  }

  /** @throws NotAsPromised if the step's body has not started `times` times within `boundMs`. */
  untilStarted(step: string, times: number, boundMs: number): Promise<void> {
    return until(`the body of ${step} starts (time ${times})`, boundMs, () => this.count(step, "start") >= times);
  }

  /** @throws NotAsPromised if the step's body has not ended `times` times within `boundMs`. */
  untilEnded(step: string, times: number, boundMs: number): Promise<void> {
    return until(`the body of ${step} ends (time ${times})`, boundMs, () => this.count(step, "end") >= times);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #take(path: string, key: string): boolean {
    const [, scope = "", step, edge] = /^(?:\/([\w-]+))?\/([\w-]+)\/(start|end)$/.exec(path) ?? [];
    if (step === undefined || (edge !== "start" && edge !== "end")) return false;
    const name = `${scope}/${step}/${edge}`;
    const hits = this.#hits.get(name) ?? [];
    const hit: Hit = { scope, step, edge, count: hits.length + 1, key, at: Date.now() };
    hits.push(hit);
    this.#hits.set(name, hits);
    this.onHit(hit);
    return true;
  }
}
